// Parallel loops over chunks of work.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace trimpot {

// Number of threads to use: the request, or all cores for 0, but no more than the work.
inline int thread_count(int requested, std::int64_t most_useful) {
  std::int64_t n = requested > 0 ? requested : static_cast<std::int64_t>(std::thread::hardware_concurrency());
  if (n > most_useful) n = most_useful;
  return n < 1 ? 1 : static_cast<int>(n);
}

// Calls work(thread) once on each of n threads, the caller being thread 0, and rethrows
// the first exception.
template <class Work>
void on_threads(int n, Work&& work) {
  std::exception_ptr error;
  std::mutex mutex;
  auto guarded = [&](int thread) {
    try {
      work(thread);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  others.reserve(static_cast<std::size_t>(n > 0 ? n - 1 : 0));
  for (int t = 1; t < n; ++t) others.emplace_back(guarded, t);
  guarded(0);
  for (auto& thread : others) thread.join();
  if (error) std::rethrow_exception(error);
}

// Calls work(item) for item = 0 .. count - 1, handed out one by one.
template <class Work>
void for_each_item(std::int64_t count, int threads, Work&& work) {
  std::atomic<std::int64_t> next{0};
  on_threads(thread_count(threads, count), [&](int) {
    for (std::int64_t i = next++; i < count; i = next++) work(i);
  });
}

// Calls work(begin, end, thread) for blocks of [0, count), handed out one by one.
template <class Work>
void for_blocks(std::int64_t count, std::int64_t block, int threads, Work&& work) {
  std::atomic<std::int64_t> next{0};
  on_threads(threads, [&](int thread) {
    for (std::int64_t begin = next.fetch_add(block); begin < count; begin = next.fetch_add(block))
      work(begin, std::min(begin + block, count), thread);
  });
}

} // namespace trimpot
