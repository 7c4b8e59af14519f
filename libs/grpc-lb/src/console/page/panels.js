/** The parts of the page that the application adds. */
import { byId, create } from './dom.js';

/** @returns Passes frames on to the panels. */
export async function openPanels(panels) {
  const listeners = [];
  await Promise.all(
    panels.map(async ({ title, script, style }, i) => {
      const element = create('div', { class: 'panel' });
      const heading = create('h2', { id: `panel-${i}` }, title);
      byId('panels').append(create('section', { class: 'card', 'aria-labelledby': `panel-${i}` }, heading, element));
      if (style) document.head.append(create('link', { rel: 'stylesheet', href: style }));
      try {
        const { default: open } = await import(new URL(script, location.href));
        open({ element, onFrame: (listener) => listeners.push(listener) });
      } catch (error) {
        element.append(create('p', { class: 'lost' }, `This part of the page does not work: ${error.message}`));
      }
    }),
  );
  return (frame) => {
    for (const listener of listeners) listener(frame);
  };
}
