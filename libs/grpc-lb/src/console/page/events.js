/** The events of the client, the latest first. */
import { byId, create } from './dom.js';
import { clock } from './words.js';

const SHOWN = 100;

export function eventList() {
  const list = byId('events');
  let seen = 0;
  byId('all-events').addEventListener('change', ({ target }) => list.classList.toggle('all', target.checked));
  return {
    add(lines) {
      for (const { id, time, weight, text } of lines) {
        if (id <= seen) continue;
        seen = id;
        list.prepend(create('li', { class: weight }, create('time', {}, clock(time)), create('span', {}, text)));
      }
      while (list.children.length > SHOWN) list.lastElementChild.remove();
    },
    clear() {
      seen = 0;
      list.replaceChildren();
    },
  };
}
