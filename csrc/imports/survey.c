/* The first reading: what one line cannot decide. */
#include "imports/compose.h"
#include "imports/convert.h"

static void survey_amount(privy_import *import, privy_span text) {
  privy_amount amount;
  if (privy_amount_read(text.text, text.length, 0, &amount) != PRIVY_AMOUNT_READ) return;
  import->points = import->points || amount.point == '.';
  import->commas = import->commas || amount.point == ',';
}

static void survey_date(privy_import *import, privy_span text) {
  privy_date date;
  if (privy_date_read(text.text, text.length, PRIVY_DATE_UNKNOWN, &date) != PRIVY_DATE_READ) return;
  import->days_first = import->days_first || date.proof == PRIVY_DATE_DAY_FIRST;
  import->months_first = import->months_first || date.proof == PRIVY_DATE_MONTH_FIRST;
}

static void survey_values(privy_import *import, const privy_line *line) {
  privy_span text;
  size_t column;
  for (size_t i = 0; i < import->plan.count; i++) {
    const privy_mapping *mapping = &import->plan.mappings[i];
    if (mapping->origin != PRIVY_FROM_COLUMNS || !privy_line_pick(mapping, line, &text, &column)) continue;
    switch (mapping->conversion) {
    case PRIVY_CONVERT_AMOUNT:
    case PRIVY_CONVERT_INTEGER: survey_amount(import, text); break;
    case PRIVY_CONVERT_TIME: survey_date(import, text); break;
    default: break;
    }
  }
}

privy_status privy_import_survey(privy_import *import, const privy_line *line) {
  import->has_survey = true;
  if (privy_line_is_idle(import, line)) return PRIVY_OK;
  const bool least = import->least == 0 || line->count < import->least;
  if (least && line->count >= import->width) import->least = line->count;
  if (privy_line_is_complete(import, line)) survey_values(import, line);
  const privy_span key = import->grouped ? privy_line_key(import, line) : (privy_span){"", 0};
  if (key.length == 0) {
    import->surveyed++;
    return PRIVY_OK;
  }
  return privy_map_set(&import->ends, key.text, key.length, (size_t)line->number) ? PRIVY_OK : PRIVY_NO_MEMORY;
}

uint64_t privy_import_surveyed(const privy_import *import) {
  return import->surveyed + import->ends.count;
}
