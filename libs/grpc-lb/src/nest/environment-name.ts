/** The name of a client as environment variables spell it: `ORDERS_CLIENT` for `OrdersClient`, `ORDERS` for `orders`. */
export function environmentName(client: string): string {
  return client
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}
