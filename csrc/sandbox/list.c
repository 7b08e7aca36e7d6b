#include <inttypes.h>

#include "sandbox/input.h"
#include "sandbox/respond.h"

#define FIELD(name) PRIVY_FIELD_CONTACT_##name
#define USUAL_PER_PAGE 25

/* The filter of a list. */
typedef struct criteria {
  privy_buffer keys[PRIVY_KEY_COUNT]; /* empty: any */
  int email_consent, sms_consent;     /* -1: any */
  uint64_t page, per_page;
} criteria;

/* The records of a page that is being written. */
typedef struct matches {
  privy_writer writer;
  uint64_t skip;  /* matches on earlier pages */
  uint64_t space; /* records that still fit on the page */
  uint64_t count;
} matches;

static uint64_t number_or(privy_value value, uint64_t fallback) {
  int64_t number;
  return value.type == PRIVY_NUMBER && privy_parse_int64(value.text, value.length, &number) ? (uint64_t)number
                                                                                            : fallback;
}

static int enum_index_or_any(const privy_value *values, unsigned index) {
  return values[index].type == PRIVY_ABSENT ? -1 : (int)privy_store_enum_index(values, index);
}

PRIVY_NODISCARD static bool criteria_read(criteria *out, const privy_value *values) {
  *out = (criteria){.email_consent = enum_index_or_any(values, FIELD(email_consent)),
                    .sms_consent = enum_index_or_any(values, FIELD(sms_consent)),
                    .page = number_or(values[FIELD(page)], 1),
                    .per_page = number_or(values[FIELD(per_page)], USUAL_PER_PAGE)};
  return privy_store_key(values[FIELD(email)], PRIVY_KEY_EMAIL, &out->keys[PRIVY_KEY_EMAIL]) &&
         privy_store_key(values[FIELD(phone_number)], PRIVY_KEY_PHONE, &out->keys[PRIVY_KEY_PHONE]);
}

static void criteria_clear(criteria *filter) {
  for (size_t i = 0; i < PRIVY_KEY_COUNT; i++) privy_buffer_clear(&filter->keys[i]);
}

static bool has_consent(const privy_contact *contact, unsigned index, int asked) {
  return asked < 0 || privy_store_enum_index(contact->values, index) == (unsigned)asked;
}

static void offer(matches *listing, const criteria *filter, const privy_contact *contact) {
  if (!has_consent(contact, FIELD(email_consent), filter->email_consent) ||
      !has_consent(contact, FIELD(sms_consent), filter->sms_consent))
    return;
  if (listing->count++ < listing->skip || listing->space == 0) return;
  listing->space--;
  privy_respond_object(&listing->writer, &privy_object_contact, contact->values);
}

/* The contact that matches an exact filter; PRIVY_STORE_NONE if there is none. */
static size_t only_match(const privy_store *store, const criteria *filter) {
  size_t match = PRIVY_STORE_NONE;
  for (unsigned i = 0; i < PRIVY_KEY_COUNT; i++) {
    const privy_buffer *key = &filter->keys[i];
    if (key->length == 0) continue;
    const size_t holder = privy_store_holder(store, (privy_key)i, (privy_slice){key->data, key->length});
    if (holder == PRIVY_STORE_NONE || store->contacts[holder].deleted) return PRIVY_STORE_NONE;
    if (match != PRIVY_STORE_NONE && match != holder) return PRIVY_STORE_NONE;
    match = holder;
  }
  return match;
}

static void offer_live(matches *listing, const criteria *filter, privy_store *store) {
  const size_t *live = privy_store_live(store);
  const size_t count = store->live_count;
  size_t at = 0;
  const bool all = filter->email_consent < 0 && filter->sms_consent < 0;
  if (all) {
    /* Every contact matches: begin where the page does. */
    at = listing->skip < count ? (size_t)listing->skip : count;
    listing->count = at;
  }
  for (; at < count && !(all && listing->space == 0); at++) offer(listing, filter, &store->contacts[live[at]]);
  if (all) listing->count = count;
}

static void write_pagination(privy_writer *writer, const criteria *filter, uint64_t total) {
  const uint64_t numbers[PRIVY_PAGE_INDEXES] = {
      [PRIVY_INDEX_PAGE_page] = filter->page,
      [PRIVY_INDEX_PAGE_per_page] = filter->per_page,
      [PRIVY_INDEX_PAGE_total_count] = total,
      [PRIVY_INDEX_PAGE_total_pages] = total / filter->per_page + (total % filter->per_page ? 1 : 0),
  };
  privy_writer_begin_object(writer);
  for (size_t i = 0; i < PRIVY_PAGE_INDEXES; i++) {
    const privy_field *field = &privy_object_page.fields[privy_object_page.response_fields[i]];
    privy_writer_key(writer, field->name, field->name_length);
    privy_writer_integer(writer, (int64_t)numbers[i]);
  }
  privy_writer_end_object(writer);
}

static privy_status respond_page(privy_exchange *exchange, const criteria *filter) {
  privy_store *store = &exchange->sandbox->store;
  const uint64_t before = filter->page - 1;
  matches listing = {.skip = before > UINT64_MAX / filter->per_page ? UINT64_MAX : before * filter->per_page,
                     .space = filter->per_page};
  privy_writer *writer = &listing.writer;
  privy_writer_init(writer, &exchange->response->body);
  privy_writer_begin_object(writer);
  privy_writer_key(writer, "data", 4);
  privy_writer_begin_array(writer);
  if (filter->keys[PRIVY_KEY_EMAIL].length || filter->keys[PRIVY_KEY_PHONE].length) {
    const size_t match = only_match(store, filter);
    if (match != PRIVY_STORE_NONE) offer(&listing, filter, &store->contacts[match]);
  } else {
    offer_live(&listing, filter, store);
  }
  privy_writer_end_array(writer);
  privy_writer_key(writer, "pagination", 10);
  write_pagination(writer, filter, listing.count);
  privy_writer_end_object(writer);
  return privy_respond_end(exchange, 200, writer);
}

privy_status privy_contacts_list(privy_exchange *exchange) {
  criteria filter;
  privy_status status = privy_input_query(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  status = criteria_read(&filter, exchange->values) ? respond_page(exchange, &filter) : PRIVY_NO_MEMORY;
  criteria_clear(&filter);
  return status;
}
