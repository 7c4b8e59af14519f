/** Runs inside the page, before its own script: what a test looks at. Plain JavaScript, as the page is. */
globalThis.seen = {
  rows: () =>
    [...document.querySelectorAll('#backends tr')].map((tr) => {
      const text = (name) => tr.querySelector(`[data-cell=${name}]`).textContent;
      return {
        address: tr.dataset.address,
        share: text('share') === '–' ? 0 : Number.parseFloat(text('share')),
        state: text('state'),
        note: text('note'),
      };
    }),

  /** What sticks out of the window, and buttons whose text sticks out of them. */
  outside: () =>
    [document.documentElement, ...document.querySelectorAll('main *:not(.unseen, thead, thead *, .scroll *)')]
      .filter(
        (node) =>
          node.getBoundingClientRect().right > innerWidth + 0.5 ||
          node.scrollWidth > innerWidth ||
          (node.matches('button') && node.scrollWidth > node.clientWidth),
      )
      .map((node) => `${node.tagName}.${node.getAttribute('class')}`),

  /** Seconds in the curve. */
  seconds: () => (document.querySelector('#chart .p50')?.getAttribute('d') ?? '').split('L').length,
};
