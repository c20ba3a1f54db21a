// Pair term: E_i = sum_j V2(r_ij), V2 a cubic spline (Xie, Rupp, Hennig 2023, eq. 3).
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "../specs.hpp"
#include "../term.hpp"
#include "basis.hpp"
#include "register_table.hpp"
#include "rows.hpp"

namespace trimpot::TRIMPOT_ISA {

// The curves of all pairs of species, for a whole vector of neighbours at once.
//
// The knots of a curve end in a uniform part, where intervals are found by arithmetic; the
// few neighbours before it are searched for one by one. Each interval is a row of four
// coefficients in t = (r - start) / h, h the spacing of the uniform part of its curve; the row
// behind the last interval is zero, and so are all rows that stand for "no interaction".
template <class Real>
class PairCurves {
 public:
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;

  struct Values {
    V value, slope; // V2 in eV, h dV2/dr
    V per_length;   // 1 / h
  };

  // curves: polynomials in r - start, four numbers per interval.
  PairCurves(int n_species, const std::vector<std::int32_t>& table,
             const std::vector<CubicBasis>& bases, const std::vector<std::vector<double>>& curves)
      : n_species_(n_species), table_(table), rows_(4, Real(0)) {
    for (std::size_t t = 0; t < bases.size(); ++t) add(bases[t], curves[t]);
    for (const std::int32_t t : table) {
      const Kind none{};
      const Kind& k = t < 0 ? none : kinds_[static_cast<std::size_t>(t)];
      for (const double p : {k.per_length, -k.uniform * k.per_length, double(k.intervals), double(k.row)})
        parameters_.push_back(static_cast<Real>(p));
    }
    if (bases.size() == 1 && n_species == 1 && kinds_[0].intervals < 2 * register_table_size<Real>)
      fill_registers(kinds_[0], curves[0]);
  }

  // 1 / h of the first curve.
  Real per_length() const { return parameters_[0]; }

  // Numbers in each register table; 0: not applicable.
  int register_size() const { return register_size_; }

  // Distances r of neighbours whose species are w, around an atom of one species.
  TRIMPOT_INLINE Values at(int species, V r, V w) const {
    const Real* parameters = parameters_.data() + 4 * species * n_species_;
    alignas(64) std::int32_t row[N];
    V t, per_length;
    Vec<std::int32_t, N> m, kind{};
    if (n_species_ == 1) {
      per_length = broadcast<N>(parameters[0]);
      t = r * per_length + broadcast<N>(parameters[1]);
      m = convert<std::int32_t>(minimum(t, broadcast<N>(parameters[2])));
      store(row, m + broadcast<N>(static_cast<std::int32_t>(parameters[3])));
    } else {
      alignas(64) std::int32_t k[N];
      kind = convert<std::int32_t>(w);
      store(k, kind);
      const auto p = load_rows<N, Real>([&](int l) { return parameters + 4 * k[l]; });
      per_length = p.x;
      t = r * per_length + p.y;
      m = convert<std::int32_t>(minimum(t, p.z));
      store(row, m + convert<std::int32_t>(p.w));
    }
    const auto early = below(t, V{});
    t -= convert<Real>(m);
    if (early) [[unlikely]]
      before_uniform(early, species, r, kind, row, t);
    const auto a = load_rows<N, Real>([&](int l) { return rows_.data() + 4 * row[l]; });
    const V cubic = a.w * t, square = cubic + a.z;
    return {(square * t + a.y) * t + a.x, (Real(2) * square + cubic) * t + a.y, per_length};
  }

  // The same for one curve whose coefficients are held in registers. Not for distances before the
  // uniform part: their bits are added to `early`.
  template <bool wide>
  TRIMPOT_INLINE Values in_registers(const Roots<Real, N>& r, std::uint32_t& early) const {
    const V per_length = broadcast<N>(parameters_[0]), start = broadcast<N>(middle_);
    // A guess may find the interval beside that of r, whose cubic differs by less than rounding.
    const V guess = r.guess * per_length + start;
    early |= below(guess, broadcast<N>(Real(-0.5)));
    const V index = minimum(guess, broadcast<N>(parameters_[2])) + broadcast<N>(whole<Real>);
    const V u = (r.root * per_length + start) - (index - broadcast<N>(whole<Real>));
    const V s0 = slopes_[0].template at<wide>(index), s1 = slopes_[1].template at<wide>(index),
            s2 = slopes_[2].template at<wide>(index);
    const V value = ((Real(1.0 / 3.0) * s2 * u + Real(0.5) * s1) * u + s0) * u + values_.template at<wide>(index);
    return {value, (s2 * u + s1) * u + s0, per_length};
  }

 private:
  struct Kind {
    double per_length = 0.0, uniform = 0.0; // 1 / h, where the uniform part starts
    int intervals = 0;                      // of the uniform part
    int row = 0;                            // its first one
    int head = 0;                           // the first row of all
  };

  // Value and slope at the middle of each interval, and their change in u = t - 1/2.
  void fill_registers(const Kind& kind, const std::vector<double>& curve) {
    if constexpr (register_table_size<Real> > 0) {
      Real value[4 * N] = {}, slope[3][4 * N] = {};
      for (int m = 0; m < kind.intervals; ++m) {
        double a[4];
        for (std::size_t p = 0; p < 4; ++p)
          a[p] = curve[curve.size() - static_cast<std::size_t>(4 * (kind.intervals - m)) + p] /
                 std::pow(kind.per_length, static_cast<double>(p));
        value[m] = plain(a[0] + 0.5 * (a[1] + 0.5 * (a[2] + 0.5 * a[3])));
        slope[0][m] = plain(a[1] + a[2] + 0.75 * a[3]);
        slope[1][m] = plain(2.0 * a[2] + 3.0 * a[3]);
        slope[2][m] = plain(3.0 * a[3]);
      }
      values_.fill(value, 4 * N);
      for (int p = 0; p < 3; ++p) slopes_[p].fill(slope[p], 4 * N);
      middle_ = static_cast<Real>(-kind.uniform * kind.per_length - 0.5);
      register_size_ = kind.intervals + 1;
    }
  }

  static Real plain(double a) { return static_cast<Real>(std::abs(a) < 1e-30 ? 0.0 : a); } // no denormals

  void add(const CubicBasis& basis, const std::vector<double>& curve) {
    const int n = basis.n_intervals();
    const double h = basis.start(n) - basis.start(n - 1);
    int first = n - 1;
    while (first > 0 && std::abs(basis.start(n) - (n - first + 1) * h - basis.start(first - 1)) < 1e-9 * h)
      --first;
    Kind kind;
    kind.head = static_cast<int>(rows_.size() / 4);
    kind.row = kind.head + first;
    kind.intervals = n - first;
    kind.uniform = basis.start(first);
    kind.per_length = kind.intervals / (basis.start(n) - kind.uniform);
    for (int m = 0; m < n; ++m)
      for (int p = 0; p < 4; ++p) {
        rows_.push_back(plain(curve[static_cast<std::size_t>(4 * m + p)] / std::pow(kind.per_length, p)));
      }
    rows_.insert(rows_.end(), 4, Real(0));
    kinds_.push_back(kind);
    searched_.emplace_back(basis);
  }

  [[gnu::noinline]] void before_uniform(std::uint32_t bits, int species, V r, Vec<std::int32_t, N> kind,
                                        std::int32_t* row, V& t) const {
    alignas(64) Real distance[N];
    store(distance, t);
    for (int l = 0; l < N; ++l) {
      if (!(bits >> l & 1u)) continue;
      const int table = table_[static_cast<std::size_t>(species * n_species_ + kind[l])];
      row[l] = 0;
      distance[l] = Real(0);
      if (table < 0) continue;
      const auto& basis = searched_[static_cast<std::size_t>(table)];
      const Kind& k = kinds_[static_cast<std::size_t>(table)];
      if (r[l] < basis.lower()) continue;
      const int m = basis.locate(r[l]);
      row[l] = k.head + m;
      distance[l] = (r[l] - basis.start(m)) * static_cast<Real>(k.per_length);
    }
    t = load<N>(distance);
  }

  int n_species_;
  std::vector<std::int32_t> table_;
  std::vector<Real> rows_;       // row 0 is zero
  std::vector<Real> parameters_; // per pair of species: 1/h, -start/h, intervals, first row
  std::vector<Kind> kinds_;
  std::vector<Basis<Real>> searched_;
  RegisterTable<Real> values_, slopes_[3];
  Real middle_ = Real(0); // t - 1/2 of r = 0
  int register_size_ = 0;
};

class PairSpline final : public Term {
 public:
  explicit PairSpline(PairSplineSpec spec) : spec_(std::move(spec)) {
    std::vector<std::vector<double>> curves;
    for (std::size_t t = 0; t < spec_.knots.size(); ++t) {
      bases_.emplace_back(spec_.knots[t]);
      exact_.emplace_back(bases_.back());
      cutoff_ = std::max(cutoff_, bases_.back().upper());
      if (has_coefficients()) curves.push_back(contract(t));
    }
    if (!has_coefficients()) return;
    single_.emplace(spec_.n_species, spec_.table, bases_, curves);
    double_.emplace(spec_.n_species, spec_.table, bases_, curves);
  }

  double cutoff() const override { return cutoff_; }
  int n_columns() const override { return spec_.n_columns; }
  bool has_coefficients() const override { return !spec_.coefficients.empty(); }
  bool pairwise() const override { return true; }
  bool takes_weights() const override { return true; }

  template <class Real>
  const PairCurves<Real>& curves() const {
    if constexpr (std::is_same_v<Real, float>)
      return *single_;
    else
      return *double_;
  }

  // Loops over atoms call curves() themselves for the first pair term; this is for others.
  double evaluate(const Environment<double>& env, Gradient<double> g) const override { return add(env, g); }
  double evaluate(const Environment<float>& env, Gradient<float> g) const override { return add(env, g); }

  void rows(const Environment<double>& env, const RowSink& sink) const override {
    for (int j = 0; j < env.count; ++j) {
      const int t = table(env, j);
      if (t < 0) continue;
      const CubicBasis& basis = bases_[static_cast<std::size_t>(t)];
      const double r = env.r[j];
      if (r >= basis.upper() || r < basis.lower() || r == 0.0) continue;
      const int m = basis.locate(r);
      const BasisValues<double> b = exact_[static_cast<std::size_t>(t)].at(m, r - basis.start(m));
      const std::int32_t* columns = spec_.columns[static_cast<std::size_t>(t)].data() + m;
      const double weight = env.weight ? env.weight[j] : 1.0;
      for (int q = 0; q < 4; ++q) {
        if (columns[q] < 0) continue;
        add_row(env, sink, j, columns[q], weight * b.value[q], weight * b.slope[q] / r);
        if (sink.weights) sink.weight_row(j)[columns[q]] += b.value[q];
      }
    }
  }

 private:
  template <class Real>
  double add(const Environment<Real>& env, Gradient<Real> g) const {
    constexpr int N = lanes<Real>;
    using V = Vec<Real, N>;
    V energy{};
    for (int j = 0; j < env.count; j += N) {
      const V r = load<N>(env.r + j), w = convert<Real>(load<N>(env.neighbor_species + j));
      const auto v2 = curves<Real>().at(env.species, r, w);
      V scale = v2.slope * v2.per_length * reciprocal(maximum(r, broadcast<N>(Real(1e-10))));
      if (env.weight) {
        const V weight = load<N>(env.weight + j);
        energy += weight * v2.value;
        scale = weight * scale;
        store(g.weight + j, load<N>(g.weight + j) + v2.value);
      } else {
        energy += v2.value;
      }
      store(g.x + j, load<N>(g.x + j) + scale * load<N>(env.x + j));
      store(g.y + j, load<N>(g.y + j) + scale * load<N>(env.y + j));
      store(g.z + j, load<N>(g.z + j) + scale * load<N>(env.z + j));
    }
    return static_cast<double>(sum(energy));
  }

  int table(const Environment<double>& env, int j) const {
    return spec_.table[static_cast<std::size_t>(
        env.species * spec_.n_species + env.neighbor_species[j])];
  }

  // Polynomial of the whole curve per interval: sum of its four basis functions.
  std::vector<double> contract(std::size_t t) const {
    const CubicBasis& basis = bases_[t];
    std::vector<double> curve(4 * static_cast<std::size_t>(basis.n_intervals()), 0.0);
    for (int m = 0; m < basis.n_intervals(); ++m)
      for (int q = 0; q < 4; ++q) {
        const int column = spec_.columns[t][static_cast<std::size_t>(m + q)];
        if (column < 0) continue;
        for (int p = 0; p < 4; ++p)
          curve[static_cast<std::size_t>(4 * m + p)] +=
              spec_.coefficients[static_cast<std::size_t>(column)] * basis.powers(m)[4 * p + q];
      }
    return curve;
  }

  static void add_row(const Environment<double>& env, const RowSink& sink, int j, int column,
                      double value, double scale) {
    const double d[3] = {env.x[j], env.y[j], env.z[j]};
    if (sink.energy) sink.energy[sink.column_offset + column] += value;
    if (sink.forces) {
      for (int axis = 0; axis < 3; ++axis) {
        sink.force_row(env.neighbor[j], axis)[column] -= scale * d[axis];
        sink.force_row(env.center, axis)[column] += scale * d[axis];
      }
    }
    if (sink.strain) {
      double* s = sink.strain + sink.column_offset + column;
      const std::int64_t n = sink.n_columns;
      s[0] += scale * d[0] * d[0];
      s[n] += scale * d[1] * d[1];
      s[2 * n] += scale * d[2] * d[2];
      s[3 * n] += scale * d[1] * d[2];
      s[4 * n] += scale * d[0] * d[2];
      s[5 * n] += scale * d[0] * d[1];
    }
  }

  PairSplineSpec spec_;
  std::vector<CubicBasis> bases_;
  std::vector<Basis<double>> exact_;
  std::optional<PairCurves<float>> single_;
  std::optional<PairCurves<double>> double_;
  double cutoff_ = 0.0;
};

} // namespace trimpot::TRIMPOT_ISA
