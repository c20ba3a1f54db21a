// Array arguments as the core wants them: exact type, C-contiguous, on the CPU. Nothing is
// converted here (a converted output would lose its results); Python code converts.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "../core/require.hpp"

namespace trimpot {

namespace nb = nanobind;

template <class T, class... Shape>
using Array = nb::ndarray<T, nb::numpy, nb::c_contig, nb::device::cpu, Shape...>;

using Vectors = Array<const double, nb::shape<-1, 3>>;
using Cells = Array<const double, nb::shape<-1, 3, 3>>;
using Flags = Array<const bool, nb::shape<-1, 3>>;
using Doubles = Array<const double, nb::ndim<1>>;
using Ints = Array<const std::int32_t, nb::ndim<1>>;
using Longs = Array<const std::int64_t, nb::ndim<1>>;
using DoublesOut = Array<double, nb::ndim<1>>;
using VectorsOut = Array<double, nb::shape<-1, 3>>;
using MatricesOut = Array<double, nb::shape<-1, 3, 3>>;
using MatrixOut = Array<double, nb::ndim<2>>;

template <class A>
std::int64_t length(const A& array) {
  return static_cast<std::int64_t>(array.shape(0));
}

// An array, or one of so many columns, that owns the memory of the values.
template <class A, std::size_t columns = 1, class Values>
A owning_array(Values&& values) {
  auto kept = std::make_unique<Values>(std::move(values));
  const std::size_t shape[2] = {kept->size() / columns, columns};
  auto* const data = kept->data();
  nb::capsule owner(kept.get(), [](void* p) noexcept { delete static_cast<Values*>(p); });
  kept.release();
  return A(data, columns == 1 ? 1 : 2, shape, owner);
}

} // namespace trimpot
