// MLANet, an attention network: energies of atoms and their derivatives, without automatic
// differentiation. Equations: docs/theory/mlanet.md; readable form: src/trimpot/networks/mlanet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trimpot {

constexpr int most_attention_heads = 16, most_poolings = 8;

// One product of two components: out[c] += weight[path] * factor * x[a] * y[b].
struct Coupling {
  std::int32_t path, a, b, c;
  double factor;
};

struct NetworkShape {
  int n_species = 1;
  int channels = 16;       // a multiple of 16, as all widths
  int l_max = 0;           // 0 to 3
  int layers = 1;
  int correlation = 1;     // 1 to 3
  int knots = 32;          // intervals of the radial splines
  int gate_hidden = 0;     // 0: no gate
  int readout_hidden = 16;
  int heads = 0;           // of attention, up to 16
  // Per pooling: 0 sum, 1 mean, 2 + h attention of head h; and which it is for each channel.
  std::vector<int> pooling, pooling_of_channel;
  int n_paths = 0;
  std::vector<Coupling> couplings; // ascending by path
  double cutoff = 1.0, mean_weight = 1.0, scale = 1.0;

  int components() const { return (l_max + 1) * (l_max + 1); }
};

// A block of parameters: where it begins, and its numbers.
struct ParameterBlock {
  std::string name;
  std::int64_t begin, rows, columns;
};

// All parameters of a network, one after the other.
std::vector<ParameterBlock> network_layout(const NetworkShape& shape);

// Weighted edges of atoms; those of the first atom first. Sources of messages are atoms, so
// that periodic images are edges with another vector.
struct WeightedEdgesView {
  std::int64_t n_atoms = 0;
  const std::int32_t* species = nullptr;
  const std::int64_t* first = nullptr;      // n_atoms + 1
  const std::int32_t* neighbors = nullptr;
  const double* vectors = nullptr;          // x 3, r_ij in angstrom
  const double* weights = nullptr;
};

// Directions in which to differentiate, of vectors and weights.
struct EdgeTangents {
  const double* vectors = nullptr;
  const double* weights = nullptr;
};

struct EdgeGradients {
  double* vectors = nullptr; // x 3, of the sum of all energies
  double* weights = nullptr;
};

// Numbers of atoms, those of the first atom first.
struct FeatureRows {
  void* numbers = nullptr;
  std::int64_t per_atom = 0;
  int bytes = 4; // of a number: 4 or 8
};

// Among the processes of a simulation, which have copies of the atoms of others and images of their own.
class FeatureExchange {
 public:
  virtual ~FeatureExchange() = default;
  virtual void spread(const FeatureRows& rows) = 0; // rows of copies become those of their owners
  virtual void gather(const FeatureRows& rows) = 0; // rows of copies are added to those of their owners
};

// Atoms behind those that have edges: neighbours only. Their features come from their owners, or they are not
// needed, because from layer to layer fewer atoms gather messages.
struct Ghosts {
  std::int64_t n = 0;
  FeatureExchange* exchange = nullptr;
  const std::int64_t* centers = nullptr; // how many of the first atoms gather, per layer; null: all that have edges
};

class Network {
 public:
  virtual ~Network() = default;
  virtual std::int64_t n_parameters() const = 0;
  virtual void set_parameters(const double* values) = 0;
  // Energies of atoms, with what the network says of atoms alone; and gradients of their sum. Of ghosts edges have
  // species, too. Energies are those of the atoms that gather messages in the last layer; with an exchange their
  // sum is that of all processes, each of which must call this.
  virtual void evaluate_among(const WeightedEdgesView& edges, const Ghosts& ghosts, double* energies,
                              const EdgeGradients& gradients, int threads) const = 0;
  void evaluate(const WeightedEdgesView& edges, double* energies, const EdgeGradients& gradients, int threads) const {
    evaluate_among(edges, {}, energies, gradients, threads);
  }
  // Adds to the gradient, n_parameters, that of sum_i seeds[i] E_i + the derivative of sum_i E_i
  // along the tangents.
  virtual void add_parameter_gradient(const WeightedEdgesView& edges, const double* seeds,
                                      const EdgeTangents& tangents, double* gradient) const = 0;
};

using NetworkPointer = std::shared_ptr<Network>;

} // namespace trimpot
