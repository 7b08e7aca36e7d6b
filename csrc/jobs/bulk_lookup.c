#include "jobs/bulk_lookup.h"

#include "message/error.h"
#include "message/response.h"
#include "policy/conflict.h"

bool privy_bulk_lookup_is_due(const bulk_row *row) {
  size_t length;
  if (row->request->operation->id != PRIVY_OP_UPSERT && row->request->operation->id != PRIVY_OP_UPDATE) return false;
  const char *body = privy_request_body(row->request, &length);
  return privy_conflict_gives_consent(body, length);
}

privy_request *privy_bulk_lookup_request(bulk_row *row, privy_error *error) {
  privy_request *request = NULL;
  if (row->looks_up && privy_request_new_look_up(row->request, row->looked_up, &request, error) != PRIVY_OK)
    return NULL;
  if (request) return request;
  row->looks_up = false; /* no contact has one of its identifiers */
  request = row->request;
  row->request = NULL;
  return request;
}

/* Makes the completion a failure that the user decides about. */
static void ask_user(privy_completion *completion, const char *why) {
  static const char code[] = "in_doubt_consent";
  privy_completion_clear(completion);
  privy_error *error = &completion->error;
  privy_error_init(error);
  privy_error_set(error, PRIVY_JOURNAL,
                  "the response to this row's request was lost, and %s; to send it again could subscribe a contact "
                  "that has unsubscribed",
                  why);
  error->may_have_succeeded = true;
  if (!privy_error_text(&error->api_code, code, sizeof code - 1)) privy_error_no_memory(error);
  completion->status = error->code;
  completion->created = -1;
}

static bool continues_after(bulk_row *row, privy_completion *completion, privy_doubt doubt) {
  switch (doubt) {
  case PRIVY_DOUBT_NOT_APPLIED: row->looks_up = false; return true;
  case PRIVY_DOUBT_APPLIED: completion->created = 0; return false;
  case PRIVY_DOUBT_REMAINS: ask_user(completion, "the contact has opted out and has other data now"); return false;
  }
  return false;
}

/* The request may have been applied, whatever became of the look-up. */
static bool fail(privy_completion *completion) {
  if (completion->status == PRIVY_PERMISSION_DENIED)
    ask_user(completion, "the token may not read contacts");
  else
    completion->error.may_have_succeeded = true;
  return false;
}

static bool judge(bulk_row *row, double since, privy_completion *completion, const privy_record *contact) {
  privy_doubt doubt;
  size_t length;
  const char *body = privy_request_body(row->request, &length);
  if (privy_conflict_judge(body, length, contact, since, &doubt)) return continues_after(row, completion, doubt);
  privy_completion_clear(completion);
  privy_error_init(&completion->error);
  completion->status = privy_error_no_memory(&completion->error);
  return false;
}

bool privy_bulk_lookup_continues(bulk_row *row, double since, privy_completion *completion) {
  if (completion->status == PRIVY_NOT_FOUND) {
    row->looked_up++; /* the update then has the same response */
    return true;
  }
  if (completion->status != PRIVY_OK) return fail(completion);
  const privy_record *contact = privy_response_record(completion->response, 0);
  if (contact) return judge(row, since, completion, contact);
  row->looked_up++;
  return true;
}
