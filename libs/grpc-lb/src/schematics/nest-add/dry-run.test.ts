import { expect, it } from 'vitest';
import { add, project } from '../../../../../test/support/schematics/nest-project.js';

it('says with -d what would change, and changes nothing', () => {
  const { tree, told, tasks } = add(project(), { d: true });
  // The files of the test's project are created, too.
  expect(told).toEqual(expect.arrayContaining(['CREATE src/orders.client.ts', 'CREATE src/orders.proto']));
  expect(told.at(-1)).toBe('Dry run: no file is written.');
  expect(tasks).toBe(0);
  expect(tree.exists('src/orders.proto')).toBe(false);
  expect(tree.readText('src/app.module.ts')).toBe(project().readText('src/app.module.ts'));
});
