/* Conversions of amounts, integers and currencies. */
#include "imports/convert.h"

/* The decimal sign of the file, by the map or the first reading; 0: not known. */
static char decimal_of(const privy_import *import) {
  if (import->plan.decimal) return import->plan.decimal;
  if (import->points == import->commas) return 0;
  return import->points ? '.' : ',';
}

static void refuse_ambiguous(const privy_conversion_job *job, privy_span text) {
  const bool mixed = job->import->points && job->import->commas;
  privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_AMBIGUOUS_AMOUNT),
                  "%.*s can be a thousand or a fraction, and %s: write decimal = \".\" or decimal = \",\" in the map",
                  (int)text.length, text.text,
                  mixed ? "the file uses both decimal signs" : "no other amount of the file shows the decimal sign");
}

/* Reads a number, or records why the text is not a number. */
static bool read_amount(const privy_conversion_job *job, privy_span text, privy_amount *out) {
  switch (privy_amount_read(text.text, text.length, decimal_of(job->import), out)) {
  case PRIVY_AMOUNT_READ: return true;
  case PRIVY_AMOUNT_AMBIGUOUS: refuse_ambiguous(job, text); return false;
  case PRIVY_AMOUNT_SHORTENED:
    privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_SHORTENED),
                    "a spreadsheet has shortened this number, and its last digits are lost: export the file again");
    return false;
  default: break;
  }
  privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_NOT_A_NUMBER), "must be a number, such as 95.00 or 1,234.50");
  return false;
}

static bool has_code(privy_slice codes, const char *code) {
  privy_slice word;
  while (privy_next_word(&codes, ' ', &word))
    if (privy_text_is(word.text, word.length, code)) return true;
  return false;
}

/* A sign of another currency than the row's is a fault: the amount may be of another column or order. */
static bool check_currency(const privy_conversion_job *job, const privy_amount *amount) {
  const char *currency = job->draft->currency;
  if (amount->currencies.length == 0 || currency[0] == '\0' || has_code(amount->currencies, currency)) return true;
  privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_OTHER_CURRENCY),
                  "the sign of this amount is not that of %s, the currency of the row", currency);
  return false;
}

static bool is_total(const privy_mapping *mapping) {
  return mapping->leaf == mapping->top && mapping->top->kind == PRIVY_KIND_MONEY &&
         (mapping->top->flags & PRIVY_FIELD_REQUIRED);
}

/* A negative item, such as a voucher, is part of an order; a negative total is not. */
static bool check_sign(const privy_conversion_job *job, const privy_amount *amount) {
  if (!amount->negative || !is_total(job->mapping)) return true;
  privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_REFUND),
                  "is negative: a refund or a cancellation is not an order; the map can skip such lines");
  return false;
}

bool privy_convert_amount(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  privy_amount amount;
  return read_amount(job, text, &amount) && check_currency(job, &amount) && check_sign(job, &amount) &&
         privy_put(job, out, amount.text, amount.length);
}

bool privy_convert_nonzero(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  const size_t start = out->length;
  if (!privy_convert_amount(job, text, out)) return false;
  for (size_t i = start; i < out->length; i++)
    if (out->data[i] >= '1' && out->data[i] <= '9') return true;
  out->length = start;
  return true;
}

bool privy_convert_integer(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  privy_amount amount;
  if (!read_amount(job, text, &amount)) return false;
  if (!privy_amount_whole(&amount)) {
    privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_NOT_AN_INTEGER), "must be a number without a fraction");
    return false;
  }
  return privy_put(job, out, amount.text, amount.length);
}

/* ---- currencies ---- */

static bool is_letter(char byte) {
  const char lower = privy_lower(byte);
  return lower >= 'a' && lower <= 'z';
}

static void keep_code(const char *text, char out[4]) {
  for (size_t i = 0; i < 3; i++) out[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
  out[3] = '\0';
}

privy_currency_result privy_currency_read(privy_span text, privy_span own, char out[4]) {
  privy_amount amount;
  if (text.length == 3 && is_letter(text.text[0]) && is_letter(text.text[1]) && is_letter(text.text[2])) {
    keep_code(text.text, out);
    return PRIVY_CURRENCY_READ;
  }
  privy_slice codes = privy_currency_sign(text.text, text.length);
  const bool sign = codes.length > 0;
  if (!sign) {
    const privy_amount_result result = privy_amount_read(text.text, text.length, '.', &amount);
    if (result == PRIVY_AMOUNT_INVALID) return PRIVY_CURRENCY_INVALID;
    codes = amount.currencies;
  }
  char code[4] = "";
  if (own.length == 3) keep_code(own.text, code);
  if (codes.length == 3)
    keep_code(codes.text, out);
  else if (code[0] && (codes.length == 0 || has_code(codes, code)))
    keep_code(code, out);
  else
    return codes.length ? PRIVY_CURRENCY_AMBIGUOUS : PRIVY_CURRENCY_MISSING;
  return PRIVY_CURRENCY_READ;
}

bool privy_convert_currency(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  char code[4];
  switch (privy_currency_read(text, job->import->plan.currency, code)) {
  case PRIVY_CURRENCY_READ: return privy_put(job, out, code, 3);
  case PRIVY_CURRENCY_INVALID:
    return privy_put(job, out, text.text, text.length); /* the rule of the field refuses it */
  case PRIVY_CURRENCY_MISSING:
    privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_REQUIRED),
                    "the amount has no currency: name that of the shop, such as currency = \"USD\"");
    return false;
  default: break;
  }
  privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_INVALID_CURRENCY),
                  "the sign of the amount stands for several currencies: name that of the shop, such as "
                  "currency = \"USD\"");
  return false;
}
