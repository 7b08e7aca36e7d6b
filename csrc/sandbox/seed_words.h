/* Names, addresses and products of the data that a seed generates. All are invented or common. */
#ifndef PRIVY_SANDBOX_SEED_WORDS_H
#define PRIVY_SANDBOX_SEED_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* A name, and how an e-mail address spells it. */
typedef struct privy_seed_name {
  const char *text, *ascii;
} privy_seed_name;

#define PRIVY_SEED_NAMES 10
#define PRIVY_SEED_CITIES 2

typedef struct privy_seed_culture {
  uint32_t share; /* of 100 people */
  const char *country;
  privy_seed_name first[PRIVY_SEED_NAMES], last[PRIVY_SEED_NAMES];
  struct {
    const char *city, *state, *postal_code; /* state: NULL for none */
  } cities[PRIVY_SEED_CITIES];
} privy_seed_culture;

typedef struct privy_seed_product {
  const char *sku, *title, *path;
  uint32_t cents;
} privy_seed_product;

#define PRIVY_SEED_CULTURES 8
#define PRIVY_SEED_PRODUCTS 10
extern const privy_seed_culture privy_seed_cultures[PRIVY_SEED_CULTURES];
extern const privy_seed_product privy_seed_products[PRIVY_SEED_PRODUCTS];

#endif
