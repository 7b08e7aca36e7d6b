#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "message/error.h"
#include "schema/schema.h"

/* Ids of each generation; the pager keeps two generations. */
#define GENERATION 4096
/* Checks for the next page while one is read. */
#define STRIDES 10

struct privy_pager {
  int64_t number, per_page; /* of the next page, 0: not given */
  privy_map recent, older;  /* ids seen */
  size_t pages, fresh;      /* pages read; new records of the last one */
  bool more;                /* a page follows */
};

privy_status privy_pager_new(int64_t first, int64_t per_page, privy_pager **out) {
  privy_pager *pager = privy_calloc(1, sizeof *pager);
  if (!pager) return PRIVY_NO_MEMORY;
  pager->number = first;
  pager->per_page = per_page;
  *out = pager;
  return PRIVY_OK;
}

void privy_pager_free(privy_pager *pager) {
  if (!pager) return;
  privy_map_clear(&pager->recent);
  privy_map_clear(&pager->older);
  privy_free(pager);
}

/* A number of the pagination; `fallback` if it is missing or invalid. */
static int64_t read_number(const privy_response *page, size_t index, int64_t fallback) {
  const privy_record *pagination = privy_response_pagination(page);
  privy_value value = pagination ? privy_record_get(pagination, index) : (privy_value){0};
  int64_t number;
  bool usable = value.type == PRIVY_NUMBER && privy_parse_int64(value.text, value.length, &number) && number >= 0;
  return usable ? number : fallback;
}

static bool is_known(const privy_pager *pager, privy_value id) {
  return privy_map_get(&pager->recent, id.text, id.length) != PRIVY_MAP_NONE ||
         privy_map_get(&pager->older, id.text, id.length) != PRIVY_MAP_NONE;
}

static bool remember(privy_pager *pager, privy_value id) {
  if (pager->recent.count >= GENERATION) {
    privy_map_clear(&pager->older);
    pager->older = pager->recent;
    pager->recent = (privy_map){0};
  }
  return privy_map_set(&pager->recent, id.text, id.length, 0);
}

/* Marks the records that an earlier page had, and returns how many; SIZE_MAX when memory runs out. */
static size_t mark_repeated(privy_pager *pager, const privy_response *page, bool *repeated) {
  size_t count = privy_response_count(page), repeats = 0;
  for (size_t i = 0; i < count; i++) {
    const privy_record *record = privy_response_record(page, i);
    int index = privy_object_index(privy_record_object(record), "id", 2);
    privy_value id = index < 0 ? (privy_value){0} : privy_record_get(record, (size_t)index);
    repeated[i] = id.type == PRIVY_STRING && is_known(pager, id);
    if (repeated[i])
      repeats++;
    else if (id.type == PRIVY_STRING && !remember(pager, id))
      return SIZE_MAX;
  }
  return repeats;
}

privy_status privy_pager_take(privy_pager *pager, const privy_response *page, bool *repeated, int64_t *next) {
  size_t count = privy_response_count(page), repeats = mark_repeated(pager, page, repeated);
  if (repeats == SIZE_MAX) return PRIVY_NO_MEMORY;
  int64_t number = pager->number > 0 ? pager->number : read_number(page, PRIVY_INDEX_PAGE_page, 1);
  int64_t pages = read_number(page, PRIVY_INDEX_PAGE_total_pages, -1);
  int64_t per_page = read_number(page, PRIVY_INDEX_PAGE_per_page, pager->per_page);
  bool has_next = pages >= 0 ? count > 0 && number < pages : repeats < count && (int64_t)count >= per_page;
  pager->number = number < INT64_MAX ? number + 1 : number;
  *next = has_next ? pager->number : 0;
  pager->pages++;
  pager->fresh = count - repeats;
  pager->more = has_next;
  return PRIVY_OK;
}

size_t privy_pager_stride(const privy_pager *pager) {
  return pager->fresh < STRIDES ? 1 : pager->fresh / STRIDES;
}

bool privy_pager_should_prefetch(const privy_pager *pager, size_t read) {
  return pager->more && (pager->pages > 1 || read >= privy_pager_stride(pager));
}

/* Pages from a page with that number on, itself not counted, that hold the first `limit` records; negative: all. */
static int64_t pages_left(const privy_response *page, int64_t number, int64_t per_page, int64_t limit) {
  const int64_t count = (int64_t)privy_response_count(page);
  const int64_t pages = read_number(page, PRIVY_INDEX_PAGE_total_pages, -1);
  if (limit >= 0 && limit <= count) return 0;
  if (pages < 0) return -1;
  const int64_t left = pages > number ? pages - number : 0;
  if (limit < 0 || per_page == 0) return left;
  const int64_t needed = (limit - count - 1) / per_page + 1;
  return needed < left ? needed : left;
}

/* Records from a page with that number on, itself included. */
static int64_t records_left(const privy_response *page, int64_t number, int64_t per_page) {
  const int64_t count = (int64_t)privy_response_count(page);
  const int64_t total = read_number(page, PRIVY_INDEX_PAGE_total_count, -1);
  if (total < 0) return -1;
  const int64_t earlier = per_page > 0 && number - 1 > total / per_page ? total : (number - 1) * per_page;
  return total - earlier > count ? total - earlier : count;
}

void privy_page_rest(const privy_response *page, int64_t limit, int64_t *requests, int64_t *records) {
  const int64_t count = (int64_t)privy_response_count(page);
  const int64_t per_page = read_number(page, PRIVY_INDEX_PAGE_per_page, count);
  const int64_t given = read_number(page, PRIVY_INDEX_PAGE_page, 1), number = given > 0 ? given : 1;
  *requests = pages_left(page, number, per_page, limit);
  *records = *requests == 0 ? count : records_left(page, number, per_page);
  if (limit >= 0 && *records > limit) *records = limit;
}
