/* Imports for tests: a map and a file as text, and all rows as text. */
#ifndef IMPORT_SCENE_H
#define IMPORT_SCENE_H

#include "base/buffer.h"
#include "harness.h"
#include "privy_imports.h"

typedef struct import_scene {
  privy_import *import;
  privy_lines *lines;
  privy_buffer out; /* what became of the rows */
  privy_error error;
  bool surveys; /* reads the file twice */
  privy_import_config config;
} import_scene;

/* Berlin in winter; a zone "Gap" that skips all times, "Twice" that repeats them. */
static privy_zone_result scene_offset(void *context, const char *zone, int64_t local, int32_t *offset) {
  (void)context;
  (void)local;
  *offset = 3600;
  if (strcmp(zone, "Gap") == 0) return PRIVY_ZONE_SKIPPED;
  if (strcmp(zone, "Twice") == 0) return PRIVY_ZONE_REPEATED;
  return strcmp(zone, "Europe/Berlin") == 0 ? PRIVY_ZONE_EXACT : PRIVY_ZONE_UNKNOWN;
}

/* Numbers of ten digits in the United States. */
static privy_status scene_phone(void *context, const char *text, size_t length, const char *country,
                                privy_buffer *out) {
  (void)context;
  char digits[16];
  size_t count = 0;
  for (size_t i = 0; i < length && count < sizeof digits; i++)
    if (text[i] >= '0' && text[i] <= '9') digits[count++] = text[i];
  if (!country || strcmp(country, "US") != 0 || text[0] == '+' || count != 10) return PRIVY_VALIDATION;
  return privy_buffer_text(out, "+1") && privy_buffer_append(out, digits, count) ? PRIVY_OK : PRIVY_NO_MEMORY;
}

static void scene_begin(import_scene *scene) {
  *scene = (import_scene){.surveys = true};
  privy_error_init(&scene->error);
  privy_import_config_init(&scene->config);
  scene->config.operation = privy_operation_find("orders.upsert");
  scene->config.zone_offset = scene_offset;
  scene->config.phone = scene_phone;
}

static void scene_end(import_scene *scene) {
  privy_import_free(scene->import);
  privy_lines_free(scene->lines);
  privy_buffer_clear(&scene->out);
  privy_error_clear(&scene->error);
}

/* Opens an import by a map, NULL for none. */
static privy_status scene_open(import_scene *scene, const char *map) {
  scene->config.map = map;
  scene->config.map_length = map ? strlen(map) : 0;
  return privy_import_new(&scene->config, &scene->import, &scene->error);
}

static bool scene_show(import_scene *scene, const privy_import_row *row) {
  static const char *const states[] = {"ready", "refused", "skipped"};
  bool fits =
      privy_buffer_format(&scene->out, "%s %.*s\n", states[row->state], (int)row->fields.length, row->fields.text);
  for (size_t i = 0; fits && i < row->fault_count; i++) {
    const privy_import_fault *fault = &row->faults[i];
    fits = privy_buffer_format(&scene->out, "  %d %.*s %s %.*s\n", (int)fault->line, (int)fault->field.length,
                               fault->field.text, fault->code, (int)fault->value.length, fault->value.text);
  }
  return fits;
}

static bool scene_take(import_scene *scene) {
  const privy_import_row *row;
  while ((row = privy_import_take(scene->import)))
    if (!scene_show(scene, row)) return false;
  return true;
}

/* One reading of the file. */
static privy_status scene_read(import_scene *scene, const char *file, size_t length, bool survey) {
  const privy_line *line = NULL;
  bool header = true;
  privy_lines_free(scene->lines);
  scene->lines = NULL;
  privy_status status = privy_lines_new(0, &scene->lines);
  if (status == PRIVY_OK) status = privy_lines_feed(scene->lines, file, length);
  if (status == PRIVY_OK) status = privy_lines_end(scene->lines);
  while (status == PRIVY_OK && (status = privy_lines_next(scene->lines, &line, &scene->error)) == PRIVY_OK && line) {
    if (header)
      status = survey || !scene->surveys ? privy_import_columns(scene->import, line, &scene->error) : PRIVY_OK;
    else
      status = (survey ? privy_import_survey : privy_import_add)(scene->import, line);
    header = false;
    if (status == PRIVY_OK && !scene_take(scene)) status = PRIVY_NO_MEMORY;
  }
  return status;
}

/* Imports a file. */
static privy_status scene_import_bytes(import_scene *scene, const char *file, size_t length) {
  privy_status status = scene->surveys ? scene_read(scene, file, length, true) : PRIVY_OK;
  if (status == PRIVY_OK) status = scene_read(scene, file, length, false);
  if (status == PRIVY_OK) status = privy_import_end(scene->import);
  return status == PRIVY_OK && !scene_take(scene) ? PRIVY_NO_MEMORY : status;
}

static inline privy_status scene_import(import_scene *scene, const char *file) {
  return scene_import_bytes(scene, file, strlen(file));
}

#endif
