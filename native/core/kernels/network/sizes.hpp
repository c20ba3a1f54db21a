// Sizes that the compiler knows: those of the default network, which is compiled by itself.
#pragma once

#include "../../network.hpp"
#include "lanes.hpp"

namespace trimpot::TRIMPOT_ISA {

// A number that the compiler knows, or, below 0, does not.
template <int Known>
struct Size {
  explicit Size(int) {}
  constexpr operator int() const { return Known; }
};
template <>
struct Size<-1> {
  explicit Size(int n) : number(n) {}
  operator int() const { return number; }
  int number;
};

// Blocks of channels and of the gate: those of the default network are compiled by themselves.
template <int Channels, int Gate>
struct Blocks {
  static constexpr int channels = Channels, gate = Gate;
  static bool fit(const NetworkShape& s) { return s.channels == Channels * width && s.gate_hidden == Gate * width; }
};
using UsualBlocks = Blocks<2, 1>;
using AnyBlocks = Blocks<-1, -1>;

} // namespace trimpot::TRIMPOT_ISA
