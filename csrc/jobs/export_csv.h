/*
 * A contact as a line of CSV (RFC 4180): fields that hold a quote, a comma or a line end are quoted. A field without a
 * value is empty; an empty text is quoted. False when memory runs out.
 */
#ifndef PRIVY_JOBS_EXPORT_CSV_H
#define PRIVY_JOBS_EXPORT_CSV_H

#include "jobs/export_file.h"

PRIVY_NODISCARD bool privy_export_write_csv_header(privy_buffer *out);
PRIVY_NODISCARD bool privy_export_write_csv(const privy_record *contact, privy_buffer *out);

#endif
