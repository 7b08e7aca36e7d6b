#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "message/error.h"
#include "schema/schema.h"

/* Records remembered before the older half of them is forgotten. */
#define GENERATION 4096
/* Looks at the next page while one is handed out. */
#define STRIDES 10

struct privy_pager {
  int64_t number, per_page; /* of the page to come, 0: not given */
  privy_map young, old;     /* ids seen */
  size_t pages, fresh;      /* taken; records of the last one that were new */
  bool more;                /* a page follows */
};

privy_status privy_pager_new(int64_t first, int64_t per_page, privy_pager **out) {
  privy_pager *walk = privy_calloc(1, sizeof *walk);
  if (!walk) return PRIVY_NO_MEMORY;
  walk->number = first;
  walk->per_page = per_page;
  *out = walk;
  return PRIVY_OK;
}

void privy_pager_free(privy_pager *walk) {
  if (!walk) return;
  privy_map_clear(&walk->young);
  privy_map_clear(&walk->old);
  privy_free(walk);
}

/* A number of the answer's pagination, `otherwise` when it tells none that can be used. */
static int64_t told(const privy_response *page, size_t index, int64_t otherwise) {
  const privy_record *pagination = privy_response_pagination(page);
  privy_value value = pagination ? privy_record_get(pagination, index) : (privy_value){0};
  int64_t number;
  bool usable = value.type == PRIVY_NUMBER && privy_parse_int64(value.text, value.length, &number) && number >= 0;
  return usable ? number : otherwise;
}

static bool is_known(const privy_pager *walk, privy_value id) {
  return privy_map_get(&walk->young, id.text, id.length) != PRIVY_MAP_NONE ||
         privy_map_get(&walk->old, id.text, id.length) != PRIVY_MAP_NONE;
}

static bool remember(privy_pager *walk, privy_value id) {
  if (walk->young.count >= GENERATION) {
    privy_map_clear(&walk->old);
    walk->old = walk->young;
    walk->young = (privy_map){0};
  }
  return privy_map_set(&walk->young, id.text, id.length, 0);
}

/* How many of the page's records were seen before; SIZE_MAX when memory runs out. */
static size_t look_through(privy_pager *walk, const privy_response *page, bool *repeated) {
  size_t count = privy_response_count(page), repeats = 0;
  for (size_t i = 0; i < count; i++) {
    const privy_record *record = privy_response_record(page, i);
    int index = privy_object_index(privy_record_object(record), "id", 2);
    privy_value id = index < 0 ? (privy_value){0} : privy_record_get(record, (size_t)index);
    repeated[i] = id.type == PRIVY_STRING && is_known(walk, id);
    if (repeated[i])
      repeats++;
    else if (id.type == PRIVY_STRING && !remember(walk, id))
      return SIZE_MAX;
  }
  return repeats;
}

privy_status privy_pager_take(privy_pager *walk, const privy_response *page, bool *repeated, int64_t *next) {
  size_t count = privy_response_count(page), repeats = look_through(walk, page, repeated);
  if (repeats == SIZE_MAX) return PRIVY_NO_MEMORY;
  int64_t number = walk->number > 0 ? walk->number : told(page, PRIVY_INDEX_PAGE_page, 1);
  int64_t pages = told(page, PRIVY_INDEX_PAGE_total_pages, -1);
  int64_t per_page = told(page, PRIVY_INDEX_PAGE_per_page, walk->per_page);
  bool goes_on = pages >= 0 ? count > 0 && number < pages : repeats < count && (int64_t)count >= per_page;
  walk->number = number < INT64_MAX ? number + 1 : number;
  *next = goes_on ? walk->number : 0;
  walk->pages++;
  walk->fresh = count - repeats;
  walk->more = goes_on;
  return PRIVY_OK;
}

size_t privy_pager_stride(const privy_pager *walk) {
  return walk->fresh < STRIDES ? 1 : walk->fresh / STRIDES;
}

bool privy_pager_should_prefetch(const privy_pager *walk, size_t read) {
  return walk->more && (walk->pages > 1 || read >= privy_pager_stride(walk));
}
