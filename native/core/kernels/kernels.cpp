// Compiled once per instruction set, with TRIMPOT_ISA naming its namespace.
#ifndef TRIMPOT_ISA
#error "define TRIMPOT_ISA"
#endif

#include "../kernels.hpp"

#include "loops.hpp"
#include "one_body.hpp"
#include "pair_spline.hpp"
#include "triplet_spline.hpp"
#include "zbl.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class T, class Spec>
TermPointer make(Spec spec) {
  return std::make_shared<T>(std::move(spec));
}

#define TRIMPOT_TEXT_(x) #x
#define TRIMPOT_TEXT(x) TRIMPOT_TEXT_(x)

Kernels make_kernels() {
  return {TRIMPOT_TEXT(TRIMPOT_ISA),
          make<OneBody, OneBodySpec>,
          make<PairSpline, PairSplineSpec>,
          make<TripletSpline, TripletSplineSpec>,
          make<Zbl, ZblSpec>,
          evaluate,
          rows};
}

} // namespace trimpot::TRIMPOT_ISA
