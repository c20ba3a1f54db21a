// Compiled once per instruction set, with TRIMPOT_ISA naming its namespace.
#ifndef TRIMPOT_ISA
#error "define TRIMPOT_ISA"
#endif

#include "../kernels.hpp"

#include "density.hpp"
#include "edge_screening.hpp"
#include "loops.hpp"
#include "one_body.hpp"
#include "pair_spline.hpp"
#include "screened.hpp"
#include "triplet_spline.hpp"
#include "zbl.hpp"

namespace trimpot::TRIMPOT_ISA {

neighbors_detail::SearchKernels search_kernels();
void weigh_edges(const EdgeWeightSpec& spec, const PairsView& pairs, std::int64_t begin, std::int64_t end,
                 WeightedEdges& edges);
void pull_back(const WeightedEdges& edges, const EdgeTangents& by, std::int64_t begin, std::int64_t end, double* forces,
               double* strains);
NetworkPointer network_single(NetworkShape shape);
NetworkPointer network_double(NetworkShape shape);

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
          make<Density, DensitySpec>,
          [](ScreeningSpec spec, TermPointer term) -> TermPointer {
            return std::make_shared<Screened>(std::make_shared<const Screening>(std::move(spec)),
                                              std::vector<TermPointer>{std::move(term)});
          },
          evaluate_block<double, std::int32_t>,
          [](const std::vector<TermPointer>& terms, const Block<double, std::uint16_t>& block, double* virial) {
            evaluate_block(terms, block, 0, block.n_own, virial);
          },
          [](const std::vector<TermPointer>& terms, const Block<float, std::uint16_t>& block, double* virial) {
            evaluate_block(terms, block, 0, block.n_own, virial);
          },
          fill_rows<double>,
          fill_rows<float>,
          [](const std::vector<TermPointer>& terms) {
            const Plan plan(terms);
            return NearTerms{plan.reach, !plan.many_body.empty()};
          },
          rows,
          atom_rows,
          add_to_range,
          screening_partials,
          weigh_edges,
          pull_back,
          search_kernels(),
          network_single,
          network_double};
}

} // namespace trimpot::TRIMPOT_ISA
