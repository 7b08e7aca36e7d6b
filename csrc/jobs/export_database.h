/* The SQLite file of an export: one table. The file exists and is empty when it is opened. */
#ifndef PRIVY_JOBS_EXPORT_DATABASE_H
#define PRIVY_JOBS_EXPORT_DATABASE_H

#include "jobs/export_file.h"

PRIVY_NODISCARD privy_status privy_export_database_open(privy_export_output_file *file, privy_error *error);
PRIVY_NODISCARD privy_status privy_export_database_add(privy_export_output_file *file, const privy_record *contact,
                                                       privy_error *error);
PRIVY_NODISCARD privy_status privy_export_database_close(privy_export_output_file *file, privy_error *error);

#endif
