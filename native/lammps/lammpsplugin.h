/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What LAMMPS and a plugin know of one another, as the LAMMPS manual describes it ("Writing plugins").
 */
#ifndef TRIMPOT_LAMMPSPLUGIN_H
#define TRIMPOT_LAMMPSPLUGIN_H

extern "C" {

typedef void *(lammpsplugin_factory1)(void *);
typedef void *(lammpsplugin_factory2)(void *, int, char **);

typedef struct {
  const char *version;
  const char *style;
  const char *name;
  const char *info;
  const char *author;
  union {
    lammpsplugin_factory1 *v1;
    lammpsplugin_factory2 *v2;
  } creator;
  void *handle;
} lammpsplugin_t;

typedef void (*lammpsplugin_regfunc)(lammpsplugin_t *, void *);

void lammpsplugin_init(void *lammps, void *handle, void *register_function);

}

#endif
