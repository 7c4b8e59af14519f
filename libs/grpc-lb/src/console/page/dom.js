/** Everything from outside becomes text, never markup. */

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; `on` has its listeners, and a string is a text. */
export function create(tag, { on = {}, ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  for (const [type, listener] of Object.entries(on)) node.addEventListener(type, listener);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Changes a text only if it differs, since each change makes the browser lay out again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** The class of a node, without touching the document if it stays. */
export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

/**
 * Keeps one child for each item: children stay with their key, so focus and selection survive.
 *
 * @param make Creates the view of an item: `{ node, draw(item) }`.
 */
export function keyedList(parent, keyOf, make) {
  const views = new Map();
  return (items) => {
    const keys = new Set(items.map(keyOf));
    for (const [key, view] of views) {
      if (keys.has(key)) continue;
      view.node.remove();
      view.more?.remove();
      views.delete(key);
    }
    let next = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let view = views.get(key);
      if (!view) views.set(key, (view = make(item)));
      for (const node of [view.node, view.more].filter(Boolean)) {
        if (node === next) next = next.nextElementSibling;
        else parent.insertBefore(node, next);
      }
      view.draw(item);
    }
    return views;
  };
}
