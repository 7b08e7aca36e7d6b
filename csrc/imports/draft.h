/* Rows that are being made: what is recorded of them. */
#ifndef PRIVY_IMPORTS_DRAFT_H
#define PRIVY_IMPORTS_DRAFT_H

#include "imports/import.h"
#include "schema/details.h"

/* The code of PRIVY_IMPORT_CODES or PRIVY_DETAIL_CODES as text. */
typedef enum privy_import_code {
#define X(id, code, doc) PRIVY_IMPORT_##id,
  PRIVY_IMPORT_CODES(X)
#undef X
      PRIVY_IMPORT_CODE_COUNT
} privy_import_code;
const char *privy_import_code_text(privy_import_code code);

/* NULL when memory runs out. Free it with privy_draft_free. */
privy_draft *privy_draft_new(size_t mappings);
void privy_draft_free(privy_draft *draft);
/* When memory runs out, these set `failed` of the draft's texts. */
void privy_draft_line(const privy_import *import, privy_draft *draft, const privy_line *line);
void privy_draft_change(privy_draft *draft, uint64_t line, privy_span column, privy_span before, privy_span after,
                        const char *rule);
/* The message and the field are copied. */
void privy_draft_fault(privy_draft *draft, const privy_import_fault *fault);
/* Whether a fault of the field is recorded. */
bool privy_draft_has_fault(const privy_draft *draft, const char *field, size_t length);

/* A value that is being converted, and where it comes from. */
typedef struct privy_conversion_job {
  privy_import *import;
  privy_draft *draft;
  const privy_mapping *mapping;
  uint64_t line;
  size_t column;  /* PRIVY_NO_COLUMN: none, or several */
  size_t element; /* of a list; PRIVY_NO_COLUMN: none */
  privy_span text;
} privy_conversion_job;

/* The name of the job's column; empty if it has none. */
privy_span privy_job_column(const privy_conversion_job *job);
/* Records why the job's value is refused. */
void privy_job_fault(const privy_conversion_job *job, const char *code, const char *format, ...) PRIVY_PRINTF(3, 4);
/* Appends the name of the mapping's field as error details write it: "tax_lines[0].title". */
PRIVY_NODISCARD bool privy_mapping_name(const privy_mapping *mapping, size_t element, privy_buffer *out);

/* Records a text whose digits a spreadsheet has dropped. Returns whether it is one. */
bool privy_refuse_shortened(const privy_conversion_job *job, privy_span text);
/* Appends; when memory runs out, sets `failed` of the group's texts and returns false. */
PRIVY_NODISCARD bool privy_put(const privy_conversion_job *job, privy_buffer *out, const char *text, size_t length);

#endif
