#include <cstdlib>
#include <stdexcept>

#include "kernels.hpp"

namespace trimpot {

namespace baseline {
Kernels make_kernels();
}
#ifdef TRIMPOT_X86
namespace avx2 {
Kernels make_kernels();
}
namespace avx512 {
Kernels make_kernels();
}
#endif

namespace {

#ifdef TRIMPOT_X86
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

Kernels kernels_named([[maybe_unused]] const std::string& name) {
#ifdef TRIMPOT_X86
  if (name == "avx512") return avx512::make_kernels();
  if (name == "avx2") return avx2::make_kernels();
#endif
  return baseline::make_kernels();
}

Kernels choose() {
  const auto available = available_instruction_sets();
  const char* wish = std::getenv("TRIMPOT_INSTRUCTION_SET");
  if (wish == nullptr) return kernels_named(available.front());
  std::string names;
  for (const auto& name : available) {
    if (name == wish) return kernels_named(name);
    names += (names.empty() ? "" : ", ") + name;
  }
  throw std::invalid_argument("TRIMPOT_INSTRUCTION_SET=" + std::string(wish) +
                              " is not available here; choose one of " + names);
}

} // namespace

std::vector<std::string> available_instruction_sets() {
  std::vector<std::string> names;
#ifdef TRIMPOT_X86
  if (has_avx512()) names.emplace_back("avx512");
  if (has_avx2()) names.emplace_back("avx2");
#endif
  names.emplace_back("baseline");
  return names;
}

const Kernels& kernels() {
  static const Kernels chosen = choose();
  return chosen;
}

} // namespace trimpot
