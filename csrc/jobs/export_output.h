/*
 * The file that an export writes: under another name until it is complete, then with its own. A fault is a
 * PRIVY_SNAPSHOT with the code of a snapshot's fault.
 */
#ifndef PRIVY_JOBS_EXPORT_OUTPUT_H
#define PRIVY_JOBS_EXPORT_OUTPUT_H

#include "jobs/export_file.h"

/* Creates the file with the mode of the one that it replaces, or 0600, and writes what comes before the contacts. */
PRIVY_NODISCARD privy_status privy_export_output_open(privy_export_output_file *file, privy_error *error);
/* Writes the contacts of a page. */
PRIVY_NODISCARD privy_status privy_export_output_page(privy_export_output_file *file, const privy_response *page,
                                                      privy_error *error);
/* Completes the file: it survives a loss of power. */
PRIVY_NODISCARD privy_status privy_export_output_close(privy_export_output_file *file, privy_error *error);
/* Gives it its name, in place of a file that has it. */
PRIVY_NODISCARD privy_status privy_export_output_rename(const privy_export_output_file *file, privy_error *error);
/* Frees what is open. The file remains. */
void privy_export_output_clear(privy_export_output_file *file);

#endif
