import type { LbEvent } from 'nestjs-grpc-lb';

declare const event: LbEvent;

// error: This comparison appears to be unintentional
if (event.type === 'endpoint_lost') event;

// error: Property 'address' does not exist on type
event.address;

if (event.type === 'discovery_updated') {
  // error: Property 'address' does not exist on type
  event.address;
}

if (event.type === 'client_state') {
  // error: This comparison appears to be unintentional
  if (event.to === 'draining') event;
}

switch (event.type) {
  case 'client_state':
  case 'discovery_updated':
  case 'discovery_failed':
    break;
  default: {
    // error: is not assignable to type 'never'
    const forgotten: never = event;
  }
}
