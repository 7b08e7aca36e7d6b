/* The table of presets. */
#ifndef PRIVY_IMPORTS_PRESETS_H
#define PRIVY_IMPORTS_PRESETS_H

#include "imports/map.h"

#define PRIVY_NO_PRESET SIZE_MAX

/* The preset of the plan's operation with that name; PRIVY_NO_PRESET if there is none. */
size_t privy_preset_find(const privy_map_plan *plan, privy_span name);
/* The one preset of the plan's operation whose marks the header has. PRIVY_NO_PRESET, with a fault that lists what
 * fits, if there is none or several. */
size_t privy_preset_recognise(privy_map_plan *plan, const privy_span *header, size_t count);
/* Adds the fields of the preset that the plan's map does not fill. */
void privy_preset_apply(privy_map_plan *plan, size_t preset);
/* Whether the preset leaves the column out on purpose. */
bool privy_preset_ignores(size_t preset, privy_span column);
/* Lists the presets of the plan's operation in a fault of `field`. */
void privy_preset_refuse(privy_map_plan *plan, const char *field, const char *name);

#endif
