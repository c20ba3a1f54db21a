// A KIM model driver for potential files of Trimpot: what KIM asks of a model besides computing.
#include <cmath>

#include "model.hpp"

namespace {

using trimpot_kim::Domain;
using trimpot_kim::failed;
using trimpot_kim::Model;

std::string last_error() { return trimpot_error(); }

// KIM wants a list to be registered. The driver makes its own from the positions, so a small cutoff
// spares the simulator work; far smaller ones would make its bins tiny.
double list_cutoff(double influence) { return 0.5 * influence; }

int read_potential(KIM::ModelDriverCreate *create, Model &model)
{
  if (trimpot_api_version() != TRIMPOT_API_VERSION) {
    return failed(create,
                  "libtrimpot.so has interface " + std::to_string(trimpot_api_version()) +
                      ", this driver was built for " + std::to_string(TRIMPOT_API_VERSION) +
                      "; export the model again and install its driver anew",
                  __LINE__, __FILE__);
  }
  int n_files = 0;
  create->GetNumberOfParameterFiles(&n_files);
  if (n_files != 1) {
    return failed(create, "found " + std::to_string(n_files) + " parameter files, expected one: NAME.trimpot",
                  __LINE__, __FILE__);
  }
  std::string const *folder = nullptr, *name = nullptr;
  create->GetParameterFileDirectoryName(&folder);
  if (create->GetParameterFileBasename(0, &name)) {
    return failed(create, "KIM does not tell the name of the parameter file", __LINE__, __FILE__);
  }
  model.potential.reset(trimpot_read((*folder + "/" + *name).c_str()));
  if (!model.potential) return failed(create, last_error(), __LINE__, __FILE__);
  return 0;
}

// What one unit of the potential is in the unit that a simulator asks for.
int conversion(KIM::LengthUnit length, KIM::EnergyUnit energy, double length_exponent, double energy_exponent,
               double *factor)
{
  using namespace KIM;
  return ModelDriverCreate::ConvertUnit(LENGTH_UNIT::A, ENERGY_UNIT::eV, CHARGE_UNIT::e, TEMPERATURE_UNIT::K,
                                        TIME_UNIT::ps, length, energy, CHARGE_UNIT::e, TEMPERATURE_UNIT::K,
                                        TIME_UNIT::ps, length_exponent, energy_exponent, 0.0, 0.0, 0.0, factor);
}

int set_units(KIM::ModelDriverCreate *create, Model &model, KIM::LengthUnit length, KIM::EnergyUnit energy)
{
  using namespace KIM;
  if (length == LENGTH_UNIT::unused) length = LENGTH_UNIT::A;
  if (energy == ENERGY_UNIT::unused) energy = ENERGY_UNIT::eV;
  if (conversion(length, energy, 1.0, 0.0, &model.length) || conversion(length, energy, 0.0, 1.0, &model.energy)) {
    return failed(create, "cannot convert from A and eV to " + length.ToString() + " and " + energy.ToString(),
                  __LINE__, __FILE__);
  }
  return create->SetUnits(length, energy, CHARGE_UNIT::unused, TEMPERATURE_UNIT::unused, TIME_UNIT::unused);
}

int set_species(KIM::ModelDriverCreate *create, Model const &model)
{
  for (int i = 0; i < trimpot_n_species(model.potential.get()); ++i) {
    std::string const symbol = trimpot_symbol(model.potential.get(), i);
    if (create->SetSpeciesCode(KIM::SpeciesName(symbol), i)) {
      return failed(create, "KIM does not know the species " + symbol, __LINE__, __FILE__);
    }
  }
  return 0;
}

int set_parameters(KIM::ModelDriverCreate *create, Model &model)
{
  return create->SetParameterPointer(1, &model.skin, "skin",
                                     "Extra radius of the driver's neighbour lists, in the unit of length. Only "
                                     "speed depends on it.") ||
         create->SetParameterPointer(1, &model.mixed, "mixed",
                                     "0: double precision. 1: single precision within the surroundings of an atom "
                                     "and double in sums; faster.");
}

// Of model creation and refreshment: both take the same two calls.
template <class Receiver>
void set_distances(Receiver *receiver, Model const &model)
{
  receiver->SetInfluenceDistancePointer(&model.influence);
  receiver->SetNeighborListPointers(1, &model.list_cutoff, &model.no_neighbors_of_padding);
}

int refresh(KIM::ModelRefresh *refresher)
{
  Model *model = nullptr;
  refresher->GetModelBufferPointer(reinterpret_cast<void **>(&model));
  if (!(std::isfinite(model->skin) && model->skin >= 0.0)) {
    return failed(refresher, "parameter skin is " + std::to_string(model->skin) + ", expected a number >= 0",
                  __LINE__, __FILE__);
  }
  if (model->mixed != 0 && model->mixed != 1) {
    return failed(refresher,
                  "parameter mixed is " + std::to_string(model->mixed) + ", expected 0 (double precision) or 1",
                  __LINE__, __FILE__);
  }
  set_distances(refresher, *model);
  ++model->revision;
  return 0;
}

int destroy(KIM::ModelDestroy *destroyer)
{
  Model *model = nullptr;
  destroyer->GetModelBufferPointer(reinterpret_cast<void **>(&model));
  delete model;
  return 0;
}

int create_arguments(KIM::ModelCompute const *, KIM::ModelComputeArgumentsCreate *create)
{
  using namespace KIM;
  for (auto const &name : {COMPUTE_ARGUMENT_NAME::partialEnergy, COMPUTE_ARGUMENT_NAME::partialForces,
                           COMPUTE_ARGUMENT_NAME::partialParticleEnergy, COMPUTE_ARGUMENT_NAME::partialVirial,
                           COMPUTE_ARGUMENT_NAME::partialParticleVirial}) {
    if (create->SetArgumentSupportStatus(name, SUPPORT_STATUS::optional)) return 1;
  }
  // An energy of many bodies is no sum of terms of distances: no ProcessDEDrTerm, no ProcessD2EDr2Term.
  create->SetModelBufferPointer(new Domain);
  return 0;
}

int destroy_arguments(KIM::ModelCompute const *, KIM::ModelComputeArgumentsDestroy *destroyer)
{
  Domain *domain = nullptr;
  destroyer->GetModelBufferPointer(reinterpret_cast<void **>(&domain));
  delete domain;
  return 0;
}

int set_routines(KIM::ModelDriverCreate *create)
{
  using namespace KIM;
  auto const set = [create](ModelRoutineName name, auto *routine) {
    return create->SetRoutinePointer(name, LANGUAGE_NAME::cpp, 1, reinterpret_cast<Function *>(routine));
  };
  return create->SetModelNumbering(NUMBERING::zeroBased) || set(MODEL_ROUTINE_NAME::Destroy, destroy) ||
         set(MODEL_ROUTINE_NAME::Refresh, refresh) ||
         set(MODEL_ROUTINE_NAME::ComputeArgumentsCreate, create_arguments) ||
         set(MODEL_ROUTINE_NAME::Compute, trimpot_kim::compute) ||
         set(MODEL_ROUTINE_NAME::ComputeArgumentsDestroy, destroy_arguments);
}

}  // namespace

extern "C" {
int model_driver_create(KIM::ModelDriverCreate *const create, KIM::LengthUnit const length,
                        KIM::EnergyUnit const energy, KIM::ChargeUnit const, KIM::TemperatureUnit const,
                        KIM::TimeUnit const)
{
  auto model = std::make_unique<Model>();
  if (read_potential(create, *model) || set_units(create, *model, length, energy)) return 1;
  model->influence = model->length * trimpot_influence_distance(model->potential.get());
  model->list_cutoff = list_cutoff(model->influence);
  model->skin *= model->length;
  if (set_species(create, *model) || set_parameters(create, *model) || set_routines(create)) return 1;
  set_distances(create, *model);
  create->SetModelBufferPointer(model.release());
  return 0;
}
}
