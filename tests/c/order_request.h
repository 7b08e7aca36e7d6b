/* A finished request of orders.upsert. */
#ifndef ORDER_REQUEST_H
#define ORDER_REQUEST_H

#include "harness.h"
#include "privy.h"

/* The caller frees it. */
privy_request *order_request(void);

#endif
