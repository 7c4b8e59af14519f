/** The parts of the page that the application adds. */
import { byId, create } from './dom.js';
import { describeEndpoint } from './words.js';

/** @returns Passes frames on to the panels, as soon as each has been loaded. */
export function openPanels(panels) {
  const listeners = [];
  void Promise.all(
    panels.map(async ({ title, script, style }, i) => {
      const element = create('div', { class: 'panel' });
      const heading = create('h2', { id: `panel-${i}` }, title);
      byId('panels').append(create('section', { class: 'card', 'aria-labelledby': `panel-${i}` }, heading, element));
      if (style) document.head.append(create('link', { rel: 'stylesheet', href: style }));
      try {
        const { default: open } = await import(new URL(script, location.href));
        open({ element, onFrame: (listener) => listeners.push(listener), describe: describeEndpoint });
      } catch (error) {
        element.append(create('p', { class: 'lost' }, `This part of the page does not work: ${error.message}`));
      }
    }),
  );
  return (frame) => {
    for (const listener of listeners) listener(frame);
  };
}
