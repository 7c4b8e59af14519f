import type { Tree } from '@angular-devkit/schematics';
import { describe, expect, it } from 'vitest';
import { add, imports, MODULE, project } from '../../../../../test/support/schematics/nest-project.js';

describe('the root module', () => {
  const withModule = (text: string, more = {}): Tree => project({ 'src/app.module.ts': text, ...more });
  const metadata = (text: string): Tree => withModule(MODULE.replace(/@Module\([^]*\)\n/, `@Module(${text})\n`));
  const added = 'GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])';

  it.each([
    ['', `@Module({ imports: [${added}] })`],
    ['{}', `@Module({ imports: [${added}] })`],
    ['{ providers: [] }', `@Module({ imports: [${added}], providers: [] })`],
    ['{ imports: [A] }', `@Module({ imports: [A, ${added}] })`],
    ["{ 'imports': [A, ...rest,] }", `@Module({ 'imports': [A, ...rest, ${added},] })`],
    [
      '{\n  imports: [\n    A,\n  ],\n}',
      `@Module({\n  imports: [\n    A,\n    ${added.replace(', ', ',\n    ')},\n  ],\n})`,
    ],
    [
      '{ imports: [GrpcLbModule.forRootAsync({})] }',
      '@Module({ imports: [GrpcLbModule.forRootAsync({}), GrpcLbModule.forFeature([OrdersClient])] })',
    ],
  ])('gets imports: @Module(%s)', (text, expected) => {
    expect(add(metadata(text)).tree.readText('src/app.module.ts')).toContain(expected);
  });

  it('gets no second forRoot() if another module has it', () => {
    const { tree } = add(project({ 'src/core.module.ts': 'GrpcLbModule\n.forRoot({ log: true })' }));
    expect(imports(tree)).toBe('[GrpcLbModule.forFeature([OrdersClient])]');
  });

  it('keeps its quotes, semicolons and line ends', () => {
    const text = MODULE.replaceAll("'", '"').replaceAll(';\n', '\n').replaceAll('\n', '\r\n');
    const { tree } = add(withModule(text));
    expect(tree.readText('src/app.module.ts')).toContain('\r\nimport { GrpcLbModule } from "nestjs-grpc-lb"\r\n');
  });

  it('is the one that is asked for', () => {
    const { tree } = add(project({ 'src/shop/shop.module.ts': MODULE }), { module: 'src/shop/shop.module.ts' });
    expect(imports(tree, 'src/shop/shop.module.ts')).toContain('OrdersClient');
    expect(tree.readText('src/app.module.ts')).toBe(MODULE);
  });

  it.each([
    ['{ imports: shared }', '"imports" of @Module() in src/app.module.ts is not an array literal: add GrpcLbModule'],
    ['metadata', 'The argument of @Module() in src/app.module.ts is not an object literal: add GrpcLbModule'],
  ])('that cannot be edited is refused, with what to add: @Module(%s)', (text, message) => {
    expect(() => add(metadata(text))).toThrow(message);
  });

  it('must be one class', () => {
    expect(() => add(withModule(MODULE + MODULE))).toThrow('has 2 classes with @Module(), and must have one');
    expect(() => add(withModule('export {};'))).toThrow('has 0 classes with @Module(), and must have one');
  });
});
