/* Conversions that depend on a place: times on a time zone, phone numbers on a country. */
#include <stdio.h>

#include "base/time.h"
#include "imports/convert.h"

/* ---- times ---- */

static privy_date_order order_of(const privy_import *import) {
  if (import->plan.date_order != PRIVY_DATE_UNKNOWN) return import->plan.date_order;
  if (import->days_first == import->months_first) return PRIVY_DATE_UNKNOWN;
  return import->days_first ? PRIVY_DATE_DAY_FIRST : PRIVY_DATE_MONTH_FIRST;
}

static bool refuse_date(const privy_conversion_job *job, privy_span text, privy_date_result result) {
  const bool mixed = job->import->days_first && job->import->months_first;
  if (result == PRIVY_DATE_AMBIGUOUS)
    privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_AMBIGUOUS_DATE),
                    "the day and the month of %.*s can be exchanged, and %s: write date_format = \"d/m/y\" or "
                    "date_format = \"m/d/y\" in the map",
                    (int)text.length, text.text,
                    mixed ? "the file has dates of both kinds" : "no other date of the file shows the order");
  else
    privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_INVALID_TIME),
                    result == PRIVY_DATE_SERIAL
                        ? "is a spreadsheet's number of a day: format the column as a date, and export the file again"
                        : "must be a date or a time, such as 2026-05-12 10:00:00 or 2026-05-12T10:00:00Z");
  return false;
}

/* "UTC", "Z", "+02:00". */
static bool fixed_offset(const char *zone, int32_t *offset) {
  char text[48];
  privy_date date;
  *offset = 0;
  if (strcmp(zone, "UTC") == 0 || strcmp(zone, "Z") == 0) return true;
  if (zone[0] != '+' && zone[0] != '-') return false;
  const int length = snprintf(text, sizeof text, "2026-01-01 00:00:00 %.16s", zone);
  if (privy_date_read(text, (size_t)length, PRIVY_DATE_UNKNOWN, &date) != PRIVY_DATE_READ || !date.zoned) return false;
  *offset = date.offset;
  return true;
}

static privy_zone_result offset_at(const privy_import *import, int64_t local, int32_t *offset) {
  const char *zone = import->config.timezone;
  if (fixed_offset(zone, offset)) return PRIVY_ZONE_EXACT;
  if (!import->config.zone_offset) return PRIVY_ZONE_UNKNOWN;
  return import->config.zone_offset(import->config.context, zone, local, offset);
}

static bool find_offset(const privy_conversion_job *job, int64_t local, int32_t *offset) {
  const char *zone = job->import->config.timezone;
  if (!zone) {
    privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_WITHOUT_TIME_ZONE),
                    "has no time zone: name that of the shop, such as timezone = \"Europe/Berlin\"");
    return false;
  }
  const privy_zone_result result = offset_at(job->import, local, offset);
  if (result == PRIVY_ZONE_SKIPPED)
    privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_NOT_A_LOCAL_TIME),
                    "does not exist in %.60s: clocks skip this hour when summer time begins", zone);
  if (result == PRIVY_ZONE_UNKNOWN)
    privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_WITHOUT_TIME_ZONE), "there is no time zone %.60s", zone);
  return result == PRIVY_ZONE_EXACT || result == PRIVY_ZONE_REPEATED;
}

bool privy_convert_time(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  privy_date date;
  privy_time time;
  char iso[PRIVY_TIME_TEXT_SIZE];
  const privy_date_result result = privy_date_read(text.text, text.length, order_of(job->import), &date);
  if (result != PRIVY_DATE_READ) return refuse_date(job, text, result);
  int32_t offset = date.offset;
  if (!date.zoned && !find_offset(job, date.local, &offset)) return false;
  privy_time_at(date.local - offset, date.nanos, &time);
  privy_time_text(iso, &time);
  return privy_put(job, out, iso, strlen(iso));
}

/* ---- phone numbers ---- */

/* Appends the digits of a number that begins with + or 00. False if it has other characters, or memory runs out. */
static bool international(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  const bool zeros = privy_text_starts(text.text, text.length, "00");
  const size_t start = out->length;
  if (!zeros && (text.length == 0 || text.text[0] != '+')) return false;
  bool fits = privy_put(job, out, "+", 1);
  for (size_t i = zeros ? 2 : 1; fits && i < text.length; i++) {
    const char byte = text.text[i];
    if (privy_is_digit(byte))
      fits = privy_put(job, out, &byte, 1);
    else if (!memchr(" ()-./", byte, 6))
      fits = false;
  }
  const size_t digits = out->length - start - 1;
  if (fits && digits >= 7 && digits <= 15 && out->data[start + 1] != '0') return true;
  out->length = start;
  return false;
}

/* Two letters, from the row or the import; NULL: not known. */
static const char *country_of(const privy_conversion_job *job, char room[3]) {
  const privy_import *import = job->import;
  const size_t from = job->mapping->country != PRIVY_NO_COLUMN ? job->mapping->country : import->country;
  const privy_span text = from != PRIVY_NO_COLUMN ? privy_clean(job->draft->noted[from].text) : (privy_span){"", 0};
  if (text.length != 2 || !privy_is_alnum(text.text[0]) || !privy_is_alnum(text.text[1])) return import->config.country;
  for (size_t i = 0; i < 2; i++) {
    const char lower = privy_lower(text.text[i]);
    room[i] = lower >= 'a' ? (char)(lower - 'a' + 'A') : lower;
  }
  room[2] = '\0';
  return room;
}

static bool refuse_phone(const privy_conversion_job *job, const char *country) {
  const char *code = privy_detail_code_text(PRIVY_CODE_INVALID_PHONE);
  if (country)
    privy_job_fault(job, code, "is not a phone number of %.2s, nor one with + and the number of its country", country);
  else
    privy_job_fault(job, code,
                    "has no + and number of its country: name the country of the shop, such as country = \"US\"");
  return false;
}

bool privy_convert_phone(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  char room[3];
  if (text.length > 1 && text.text[0] == '\'') text = (privy_span){text.text + 1, text.length - 1};
  if (privy_refuse_shortened(job, text)) return false;
  if (text.length > 2 && memcmp(text.text + text.length - 2, ".0", 2) == 0) text.length -= 2;
  const char *country = country_of(job, room);
  const privy_import_config *config = &job->import->config;
  const privy_status found =
      config->phone ? config->phone(config->context, text.text, text.length, country, out) : PRIVY_VALIDATION;
  if (found == PRIVY_OK) return true;
  if (found == PRIVY_NO_MEMORY) job->draft->texts.failed = true;
  out->length = 0;
  if (international(job, text, out)) return true;
  return !job->draft->texts.failed && refuse_phone(job, country);
}
