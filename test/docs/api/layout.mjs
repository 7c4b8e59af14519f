import {
  Converter,
  IntrinsicType,
  makeRecursiveVisitor,
  PageEvent,
  ReflectionKind,
  ReflectionType,
  UnionType,
} from 'typedoc';
import { MarkdownTheme, MarkdownThemeContext } from 'typedoc-plugin-markdown';

/**
 * How the pages of the API reference look: one page for each entry of the package, one heading for each export, its
 * declaration with all types, and its doc comment. typedoc-plugin-markdown alone has a heading for each parameter list
 * and return type, which makes the pages four times as long.
 */

/** The name of a page: `consul` for `nestjs-grpc-lb/consul`, `main` for `nestjs-grpc-lb`. */
const MAIN = 'main';

const importName = (packageName, page) => (page === MAIN ? packageName : `${packageName}/${page}`);

/**
 * @param app The application of typedoc.
 * @param packageName The name of the package.
 * @param entries The source of each entry, by the path of its export: `.`, `./consul`.
 */
export function useLayout(app, packageName, entries) {
  const pageOf = new Map([...entries].map(([path, file]) => [file, path === '.' ? MAIN : path.slice(2)]));
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) {
      reflection.name = pageOf.get(symbolOf(context, reflection).declarations[0].getSourceFile().fileName);
    }
  });
  app.converter.on(Converter.EVENT_CREATE_PARAMETER, (_context, parameter) => {
    if (parameter.name === '__namedParameters') parameter.name = 'options';
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    const { project } = context;
    context.setActiveProgram(context.programs[0]);
    for (const each of project.getReflectionsByKind(WITH_TYPE)) writeTypeOut(context, each);
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      removeCalledByNest(project, module);
      nameReexports(project, module);
    }
  });
  app.options.setValue('pageTitleTemplates', {
    index: () => 'API reference',
    module: ({ name }) => importName(packageName, name),
  });
  // An anchor for each row ends in a number, which changes with rows of other tables.
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents.replaceAll(/<a id="[^"]*"><\/a> /g, '');
  });
  app.renderer.defineTheme('compact', CompactTheme);
  app.options.setValue('theme', 'compact');
}

const symbolOf = (context, reflection) => context.getSymbolFromReflection(reflection);

const WITH_TYPE = ReflectionKind.Variable | ReflectionKind.TypeAlias | ReflectionKind.Property;

/** Types that name a constant which is not exported, as in `keyof typeof METRICS`, become what they are. */
function writeTypeOut(context, reflection) {
  if (reflection.kindOf(ReflectionKind.Variable) && reflection.type instanceof ReflectionType) {
    // The members of a constant object would be a page of their own.
    if (!reflection.type.declaration.signatures) reflection.type = new IntrinsicType('object');
    return;
  }
  let namesConstant = false;
  reflection.type?.visit(makeRecursiveVisitor({ query: () => (namesConstant = true) }));
  if (!namesConstant) return;
  const symbol = symbolOf(context, reflection);
  const { checker } = context;
  const type = reflection.kindOf(ReflectionKind.TypeAlias)
    ? checker.getDeclaredTypeOfSymbol(symbol)
    : checker.getTypeOfSymbol(symbol);
  // The compiler's order of a union depends on the rest of the program.
  const members = (type.isUnion() ? type.types : [type]).map((each) => context.converter.convertType(context, each));
  const byText = members.toSorted((a, b) => (String(a) < String(b) ? -1 : 1));
  reflection.type = byText.length === 1 ? byText[0] : new UnionType(byText);
}

/** Constructors without comment, which Nest calls or a base class has, and the hooks of Nest's lifecycle. */
function removeCalledByNest(project, module) {
  const isUndocumented = ({ signatures = [] }) => !signatures.some(({ comment }) => comment);
  const isHook = ({ signatures = [] }) =>
    signatures.some(({ comment }) => comment?.summary[0]?.text.startsWith('Called by Nest'));
  for (const type of module.getChildrenByKind(ReflectionKind.Class)) {
    delete type.implementedTypes;
    for (const made of type.getChildrenByKind(ReflectionKind.Constructor)) {
      if (isUndocumented(made)) project.removeReflection(made);
    }
    for (const method of type.getChildrenByKind(ReflectionKind.Method)) {
      if (isHook(method)) project.removeReflection(method);
    }
  }
}

/** Exports that another entry has too: one line instead of a heading for each. */
function nameReexports(project, module) {
  const references = module.getChildrenByKind(ReflectionKind.Reference);
  const names = references.map(({ name }) => name).toSorted();
  const targets = new Map(references.map((each) => [each.name, each.getTargetReflectionDeep()]));
  for (const each of references) project.removeReflection(each);
  module.reexports = names.map((name) => ({ name, target: targets.get(name) }));
}

class CompactTheme extends MarkdownTheme {
  getRenderContext(page) {
    return new CompactContext(this, page, this.application.options);
  }
}

class CompactContext extends MarkdownThemeContext {
  constructor(...given) {
    super(...given);
    const { memberWithGroups } = this.partials;
    const { reflection } = this.templates;
    this.templates.reflection = (page) =>
      page.model.kindOf(ReflectionKind.Project) ? this.#index(page.model) : reflection.call(this, page);
    Object.assign(this.partials, {
      signature: (model, options) => this.#signature(model, options),
      accessor: (model) => this.#accessor(model),
      inheritance: () => '',
      comment: (model, options) => this.#comment(model, options),
      signatureParameters: (parameters) => this.#parameters(parameters),
      memberWithGroups: (model, options) =>
        paragraphs(this.#reexports(model), memberWithGroups.call(this, model, options)),
    });
  }

  #signature(model, { hideTitle, accessor, multipleSignatures }) {
    const comment = multipleSignatures ? model.comment : (model.comment ?? model.parent?.comment);
    const described = (model.parameters ?? []).filter((each) => each.comment);
    return paragraphs(
      hideTitle ? '' : this.partials.signatureTitle(model, { accessor }),
      comment && this.partials.comment(comment, { showTags: false }),
      described.map((each) => `- \`${each.name}\`: ${this.helpers.getCommentParts(each.comment.summary)}`).join('\n'),
      comment && this.partials.comment(comment, { showSummary: false, showReturns: true }),
    );
  }

  #accessor({ getSignature, comment }) {
    return paragraphs(
      this.partials.signatureTitle(getSignature, { accessor: 'get' }),
      this.partials.comment(getSignature.comment ?? comment, {}),
    );
  }

  /** With their types, so that they need no table. */
  #parameters(parameters) {
    const written = parameters.map(({ flags, name, type, defaultValue }) => {
      const optional = flags.isOptional || defaultValue ? '?' : '';
      return `${flags.isRest ? '...' : ''}\`${name}${optional}\`: ${this.partials.someType(type)}`;
    });
    return `(${written.join(', ')})`;
  }

  #comment(comment, { showSummary = true, showTags = true, isTableColumn = false } = {}) {
    const tags = showTags ? comment.blockTags.filter(({ tag }) => tag in TAGS) : [];
    const parts = [
      showSummary ? this.helpers.getCommentParts(comment.summary) : '',
      ...tags.map(({ tag, content }) => `${TAGS[tag]}${outdented(this.helpers.getCommentParts(content))}`),
    ];
    return isTableColumn ? parts.filter(Boolean).join(' ') : paragraphs(...parts);
  }

  #index(project) {
    const byName = (a, b) => (b.name === MAIN) - (a.name === MAIN) || (a.name < b.name ? -1 : 1);
    const rows = project
      .getChildrenByKind(ReflectionKind.Module)
      .toSorted(byName)
      .map((module) => {
        const [purpose] = this.helpers.getCommentParts(module.comment?.summary ?? []).split('\n\n', 1);
        const title = this.options.getValue('pageTitleTemplates').module({ name: module.name });
        return `| [\`${title}\`](${this.urlTo(module)}) | ${purpose.replaceAll('\n', ' ')} |`;
      });
    return paragraphs(
      '# API reference',
      INTRODUCTION,
      ['| Import | What it has |', '| --- | --- |', ...rows].join('\n'),
    );
  }

  #reexports({ reexports = [] }) {
    if (reexports.length === 0) return '';
    const links = reexports.map(({ name, target }) => `[${name}](${this.urlTo(target)})`);
    return `Also exports ${links.join(', ')}.`;
  }
}

const INTRODUCTION = `What the package exports, generated from the doc comments of the sources by \`npm run docs:api\`.
[Options](../options.md) has all options of clients in tables, [Configuration](../../guide/configuration.md) where they
are set, and [Errors](../errors.md) what is thrown.`;

/** The tags that are written, with what comes before their text. */
const TAGS = {
  '@default': '**Default:** ',
  '@defaultValue': '**Default:** ',
  '@deprecated': '**Deprecated:** ',
  '@example': '',
  '@experimental': '**Experimental.** ',
  '@returns': '**Returns:** ',
  '@see': '**See:** ',
  '@throws': '**Throws:** ',
};

/** An example that is written without a fence keeps its indentation in all lines but the first. */
function outdented(text) {
  const [, first, rest] = /^```ts\n(.*\n)((?:(?: {2}.*)?\n)+)```$/.exec(text) ?? [];
  return rest === undefined ? text : `\`\`\`ts\n${first}${rest.replaceAll(/^ {2}/gm, '')}\`\`\``;
}

const paragraphs = (...parts) => parts.filter(Boolean).join('\n\n');
