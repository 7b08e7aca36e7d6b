/* The contacts of the data set "shop". */
#include <inttypes.h>
#include <stdio.h>

#include "sandbox/seed_words.h"
#include "sandbox/seeding.h"

#define FIELD(name) PRIVY_FIELD_CONTACT_##name
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof *(array)))

/* Numbers from +1 area code 555 0100 to 0199 belong to nobody. Area codes: [2-467-9], then 01 to 89 but not 11. */
#define AREAS_OF_DIGIT 88
#define PHONES (6 * AREAS_OF_DIGIT * 100)
/* Has no common factor with PHONES: its multiples reach every number once. */
#define PHONE_STEP 7919
#define PHONE_SIZE 16
#define EMAIL_SIZE 96

/* What all contacts of one run share. */
typedef struct contact_run {
  privy_seeding *seeding;
  privy_times times;
  uint32_t offsets[3];              /* of the quotas: which keys, e-mail consent, SMS consent */
  uint32_t emails, phones;          /* contacts so far that have one */
  uint32_t phone_start, phone_next; /* numbers tried so far */
} contact_run;

typedef struct person {
  const privy_seed_name *first, *last; /* NULL: unknown */
  bool has_email, has_phone;
  char email[EMAIL_SIZE], phone[PHONE_SIZE];
  privy_email_consent email_consent;
  privy_sms_consent sms_consent;
  int64_t at;
} person;

/* Quotas: of each hundred contacts so many have a value, in mixed order, so that a small set has all of them. */
static uint32_t quota(uint32_t number, uint32_t step, uint32_t offset) {
  return (uint32_t)(((uint64_t)number * step + offset) % 100);
}

static privy_email_consent email_consent_of(uint32_t place) {
  if (place < 62) return PRIVY_email_consent_subscribed;
  if (place < 79) return PRIVY_email_consent_never_subscribed;
  if (place < 92) return PRIVY_email_consent_unsubscribed;
  return place < 96 ? PRIVY_email_consent_suppressed : PRIVY_email_consent_compliance_suppressed;
}

static privy_sms_consent sms_consent_of(uint32_t place) {
  if (place < 42) return PRIVY_sms_consent_subscribed;
  if (place < 56) return PRIVY_sms_consent_single_opt_in;
  if (place < 64) return PRIVY_sms_consent_pending;
  return place < 76 ? PRIVY_sms_consent_unsubscribed : PRIVY_sms_consent_never_subscribed;
}

/* ---- who it is --------------------------------------------------------------------------------------------------- */

static const privy_seed_culture *draw_culture(privy_draw *draw) {
  uint32_t place = privy_draw_below(draw, 100);
  const privy_seed_culture *culture = privy_seed_cultures;
  while (place >= culture->share) place -= culture++->share;
  return culture;
}

static bool is_taken(const contact_run *run, privy_key key, const char *text) {
  return privy_store_holder(&run->seeding->draft->store, key, (privy_slice){text, strlen(text)}) != PRIVY_STORE_NONE;
}

/* An address that no contact has or had. */
static void draw_email(contact_run *run, person *someone) {
  static const char *const domains[] = {"example.com", "example.com", "example.net", "example.org"};
  privy_draw *draw = &run->seeding->draw;
  const char *domain = domains[privy_draw_below(draw, COUNT(domains))];
  const char *first = someone->first ? someone->first->ascii : "hello";
  const char *last = someone->last ? someone->last->ascii : "shopper";
  switch (privy_draw_below(draw, 3)) {
  case 0: snprintf(someone->email, EMAIL_SIZE, "%s.%s@%s", first, last, domain); break;
  case 1: snprintf(someone->email, EMAIL_SIZE, "%s%s@%s", first, last, domain); break;
  default: snprintf(someone->email, EMAIL_SIZE, "%c.%s@%s", *first, last, domain); break;
  }
  for (uint32_t range = 100; is_taken(run, PRIVY_KEY_EMAIL, someone->email);
       range = range < 100000000 ? range * 4 : range)
    snprintf(someone->email, EMAIL_SIZE, "%s.%s%" PRIu32 "@%s", first, last, privy_draw_below(draw, range), domain);
}

static void write_phone(char out[PHONE_SIZE], uint32_t number) {
  const uint32_t area = number / 100 % (6 * AREAS_OF_DIGIT);
  uint32_t rest = 1 + area % AREAS_OF_DIGIT;
  if (rest >= 11) rest++;
  snprintf(out, PHONE_SIZE, "+1%c%02" PRIu32 "55501%02" PRIu32, "234679"[area / AREAS_OF_DIGIT], rest, number % 100);
}

/* A number that no contact has or had; false if there is none left. */
static bool draw_phone(contact_run *run, person *someone) {
  while (run->phone_next < PHONES) {
    const uint64_t place = run->phone_start + (uint64_t)run->phone_next++ * PHONE_STEP;
    write_phone(someone->phone, (uint32_t)(place % PHONES));
    if (!is_taken(run, PRIVY_KEY_PHONE, someone->phone)) return true;
  }
  return false;
}

static void draw_person(contact_run *run, uint32_t number, person *someone) {
  privy_draw *draw = &run->seeding->draw;
  const privy_seed_culture *culture = draw_culture(draw);
  const uint32_t keys = quota(number, 61, run->offsets[0]);
  *someone = (person){.email_consent = PRIVY_email_consent_never_subscribed,
                      .sms_consent = PRIVY_sms_consent_never_subscribed};
  someone->first = &culture->first[privy_draw_below(draw, PRIVY_SEED_NAMES)];
  someone->last = &culture->last[privy_draw_below(draw, PRIVY_SEED_NAMES)];
  if (privy_draw_chance(draw, 6)) someone->last = NULL;
  if (privy_draw_chance(draw, 4)) someone->first = someone->last = NULL;
  someone->has_phone = keys >= 60 && draw_phone(run, someone);
  someone->has_email = keys < 94 || !someone->has_phone;
  if (someone->has_email) {
    draw_email(run, someone);
    someone->email_consent = email_consent_of(quota(run->emails++, 37, run->offsets[1]));
  }
  if (someone->has_phone) someone->sms_consent = sms_consent_of(quota(run->phones++, 23, run->offsets[2]));
  someone->at = privy_times_next(&run->times, draw);
}

/* ---- what is known ----------------------------------------------------------------------------------------------- */

static void write_tags(privy_draw *draw, privy_writer *writer) {
  static const char *const tags[] = {"newsletter", "vip", "returning", "wholesale", "gift-buyer", "été-2026"};
  static const uint32_t shares[COUNT(tags)] = {45, 8, 18, 3, 9, 5};
  privy_seeding_key(writer, &privy_object_contact, FIELD(tags));
  privy_writer_begin_array(writer);
  for (size_t i = 0; i < COUNT(tags); i++) {
    if (privy_draw_chance(draw, shares[i])) privy_writer_string(writer, tags[i], strlen(tags[i]));
  }
  privy_writer_end_array(writer);
}

static void write_custom_fields(privy_draw *draw, privy_writer *writer) {
  static const char *const sources[] = {"Welcome popup", "Exit popup", "Footer form", "Checkout", "Spin to win"};
  static const char *const sizes[] = {"S", "M", "L", "XL"};
  privy_seeding_key(writer, &privy_object_contact, FIELD(custom_fields));
  privy_writer_begin_object(writer);
  privy_seeding_member(writer, "signup_source", sources[privy_draw_below(draw, COUNT(sources))]);
  if (privy_draw_chance(draw, 30)) {
    privy_writer_key(writer, "points", strlen("points"));
    privy_writer_integer(writer, privy_draw_below(draw, 5000));
  }
  if (privy_draw_chance(draw, 20))
    privy_seeding_member(writer, "shirt_size", sizes[privy_draw_below(draw, COUNT(sizes))]);
  if (privy_draw_chance(draw, 10)) {
    privy_writer_key(writer, "accepts_sale_mail", strlen("accepts_sale_mail"));
    privy_writer_boolean(writer, privy_draw_chance(draw, 50));
  }
  privy_writer_end_object(writer);
}

static void write_consent(privy_writer *writer, unsigned field, unsigned consent) {
  privy_seeding_text(writer, &privy_object_contact, field,
                     privy_object_contact.fields[field].enum_values->values[consent].name);
}

/* A consent that was revoked or that no request can set was given first. */
static privy_email_consent first_email_consent(privy_email_consent last) {
  return last == PRIVY_email_consent_unsubscribed || last == PRIVY_email_consent_compliance_suppressed
             ? PRIVY_email_consent_subscribed
             : last;
}

static privy_sms_consent first_sms_consent(privy_sms_consent last) {
  if (last == PRIVY_sms_consent_unsubscribed) return PRIVY_sms_consent_subscribed;
  return last == PRIVY_sms_consent_pending ? PRIVY_sms_consent_never_subscribed : last;
}

static bool create(contact_run *run, const person *someone) {
  privy_writer writer;
  privy_seeding *seeding = run->seeding;
  privy_seeding_begin(seeding, &writer);
  if (someone->has_email) privy_seeding_text(&writer, &privy_object_contact, FIELD(email), someone->email);
  if (someone->has_phone) privy_seeding_text(&writer, &privy_object_contact, FIELD(phone_number), someone->phone);
  if (someone->first) privy_seeding_text(&writer, &privy_object_contact, FIELD(first_name), someone->first->text);
  if (someone->last) privy_seeding_text(&writer, &privy_object_contact, FIELD(last_name), someone->last->text);
  write_consent(&writer, FIELD(email_consent), first_email_consent(someone->email_consent));
  write_consent(&writer, FIELD(sms_consent), first_sms_consent(someone->sms_consent));
  privy_seeding_key(&writer, &privy_object_contact, FIELD(send_welcome_sms));
  privy_writer_boolean(&writer, false);
  write_tags(&seeding->draw, &writer);
  write_custom_fields(&seeding->draw, &writer);
  privy_writer_end_object(&writer);
  return !writer.failed && privy_seeding_send(seeding, "POST", "/contacts", someone->at);
}

/* ---- what happened since ----------------------------------------------------------------------------------------- */

static bool revokes(const person *someone) {
  return someone->sms_consent == PRIVY_sms_consent_unsubscribed ||
         first_email_consent(someone->email_consent) != someone->email_consent;
}

static bool update(contact_run *run, const person *someone, const privy_contact *contact) {
  char target[96];
  privy_writer writer;
  privy_seeding *seeding = run->seeding;
  const privy_value id = contact->values[FIELD(id)];
  const int64_t left = seeding->end - someone->at;
  const uint32_t later = privy_draw_below(&seeding->draw, left < UINT32_MAX ? (uint32_t)left : UINT32_MAX);
  snprintf(target, sizeof target, "/contacts/%.*s", (int)id.length, id.text);
  privy_seeding_begin(seeding, &writer);
  if (someone->sms_consent == PRIVY_sms_consent_unsubscribed)
    write_consent(&writer, FIELD(sms_consent), PRIVY_sms_consent_unsubscribed);
  if (first_email_consent(someone->email_consent) != someone->email_consent)
    write_consent(&writer, FIELD(email_consent), PRIVY_email_consent_unsubscribed);
  write_tags(&seeding->draw, &writer);
  privy_writer_end_object(&writer);
  return !writer.failed && privy_seeding_send(seeding, "PATCH", target, someone->at + later);
}

static bool add_contact(contact_run *run, uint32_t number) {
  person someone;
  privy_store *store = &run->seeding->draft->store;
  draw_person(run, number, &someone);
  run->seeding->created[number] = someone.at;
  if (!create(run, &someone)) return false;
  privy_contact *contact = &store->contacts[store->contact_count - 1];
  if ((revokes(&someone) || privy_draw_chance(&run->seeding->draw, 15)) && !update(run, &someone, contact))
    return false;
  if (someone.email_consent == PRIVY_email_consent_compliance_suppressed)
    contact->values[FIELD(email_consent)] =
        privy_store_enum_value(&privy_enum_email_consent, PRIVY_email_consent_compliance_suppressed);
  if (someone.sms_consent == PRIVY_sms_consent_pending)
    contact->values[FIELD(sms_consent)] = privy_store_enum_value(&privy_enum_sms_consent, PRIVY_sms_consent_pending);
  return true;
}

bool privy_seed_contacts(privy_seeding *seeding) {
  contact_run run = {.seeding = seeding};
  privy_times_start(&run.times, seeding->end, seeding->days, seeding->contacts);
  for (size_t i = 0; i < COUNT(run.offsets); i++) run.offsets[i] = privy_draw_below(&seeding->draw, 100);
  run.phone_start = privy_draw_below(&seeding->draw, PHONES);
  for (uint32_t number = 0; number < seeding->contacts; number++) {
    if (!add_contact(&run, number)) return false;
  }
  return true;
}
