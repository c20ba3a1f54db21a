// Potential files, NAME.trimpot, for programs without Python (docs/reference/file-format.md).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "../core/edge_weights.hpp"
#include "../core/network.hpp"
#include "../core/term.hpp"
#include "file_error.hpp"

namespace trimpot {

// Species are numbered by ascending atomic number.
struct SplineFile {
  std::vector<int> numbers;          // atomic numbers of the species
  std::vector<std::string> symbols;
  double cutoff = 0.0;               // angstrom, of all terms
  std::vector<TermPointer> terms;    // all with coefficients; kernels of this processor
  std::vector<double> isolated;      // eV per species, which the terms include
};

// Energies are those of isolated atoms, plus prior, plus what the network says beyond atoms alone.
struct NetworkFile {
  std::vector<int> numbers;
  std::vector<std::string> symbols;
  double cutoff = 0.0;               // angstrom, that neighbour lists must reach
  bool single = true;                // arithmetic of the network
  std::vector<double> e0s;           // eV per species
  NetworkShape shape;
  std::vector<double> parameters;    // in the order of network_layout(shape)
  EdgeWeightSpec weighing;
  double reach = 0.0;                // angstrom, of the network in one layer: edges and what screens them
  double influence = 0.0;            // angstrom, beyond which nothing acts on the energy of an atom
  std::optional<SplineFile> prior;
};

// Checks every part before it is used. Throws FileError, naming the file.
std::variant<SplineFile, NetworkFile> read_potential(const std::string& path);

} // namespace trimpot
