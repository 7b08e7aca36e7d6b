/* SHA-256, by the examples of FIPS 180-4 and texts that end at each place of a block. */
#include <stdio.h>

#include "base/digest.h"
#include "harness.h"

static void assert_digest(privy_digest *digest, const char *expected) {
  unsigned char end[PRIVY_DIGEST_SIZE];
  char text[2 * PRIVY_DIGEST_SIZE + 1];
  privy_digest_end(digest, end);
  for (size_t i = 0; i < sizeof end; i++) snprintf(text + 2 * i, 3, "%02x", end[i]);
  assert_string_equal(text, expected);
}

static void texts_have_their_digest(void **state) {
  (void)state;
  static const struct {
    const char *text, *digest;
  } cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    privy_digest digest;
    privy_digest_init(&digest);
    privy_digest_add(&digest, cases[i].text, strlen(cases[i].text));
    assert_digest(&digest, cases[i].digest);
  }
}

static void a_million_bytes_in_pieces_have_one_digest(void **state) {
  (void)state;
  char piece[199];
  memset(piece, 'a', sizeof piece);
  for (size_t size = 1; size <= sizeof piece; size += 66) {
    privy_digest digest;
    privy_digest_init(&digest);
    for (size_t left = 1000000, part; left; left -= part) {
      part = left < size ? left : size;
      privy_digest_add(&digest, piece, part);
    }
    assert_digest(&digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

/* The digests of "", "a", "aa", … up to 130 bytes, one after the other, have this digest. */
static void padding_is_right_at_each_length(void **state) {
  (void)state;
  char text[130];
  unsigned char end[PRIVY_DIGEST_SIZE];
  privy_digest all, digest;
  memset(text, 'a', sizeof text);
  privy_digest_init(&all);
  for (size_t length = 0; length <= sizeof text; length++) {
    privy_digest_init(&digest);
    privy_digest_add(&digest, text, length);
    privy_digest_end(&digest, end);
    privy_digest_add(&all, end, sizeof end);
  }
  assert_digest(&all, "f908a43fc8456c583aacde0fb2627959f8513dc76d0c03979b7f945a7dd78f22");
}

int main(void) {
  static harness_test tests[] = {TEST_UNSWEPT(texts_have_their_digest),
                                 TEST_UNSWEPT(a_million_bytes_in_pieces_have_one_digest),
                                 TEST_UNSWEPT(padding_is_right_at_each_length)};
  return HARNESS_RUN(tests);
}
