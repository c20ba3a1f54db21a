// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tells LAMMPS of the pair style.
#include "lammps.h"
#include "lammpsplugin.h"
#include "pair_trimpot.h"

static void *make_pair(void *lammps)
{
  return new LAMMPS_NS::PairTrimpot(static_cast<LAMMPS_NS::LAMMPS *>(lammps));
}

extern "C" void lammpsplugin_init(void *lammps, void *handle, void *register_function)
{
  if (trimpot_api_version() != TRIMPOT_API_VERSION) return; // LAMMPS then says that it does not know the style
  lammpsplugin_t plugin;
  plugin.version = static_cast<LAMMPS_NS::LAMMPS *>(lammps)->version;
  plugin.style = "pair";
  plugin.name = "trimpot";
  plugin.info = "spline and network potentials of Trimpot";
  plugin.author = "the Trimpot developers";
  plugin.creator.v1 = &make_pair;
  plugin.handle = handle;
  reinterpret_cast<lammpsplugin_regfunc>(register_function)(&plugin, lammps);
}
