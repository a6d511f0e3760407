// Which wishes a model can do together: the back end's own rules of fitting, so that nothing is offered that it would
// refuse. Pictures weigh most, then sound, then the wish that was made last.
import type { ImageRole, Model } from '../../api';
import type { ChoiceName, Choices, Draft } from './draft';

export type Condition = Model['capabilities']['conditions'][number];

export const ROLES: readonly ImageRole[] = ['start', 'end', 'subject', 'source'];
export const CHOICES: readonly ChoiceName[] = ['duration_seconds', 'resolution', 'aspect_ratio'];

const MAIN_FIRST: readonly ImageRole[] = ['start', 'source', 'subject', 'end'];

export interface Fitted {
  choices: Choices;
  audio: boolean;
  count: number;
  /** The roles whose pictures go out. */
  used: ImageRole[];
  /** The roles that must have a picture and have none yet. */
  needed: ImageRole[];
  /** Why a role may have no picture beside what else is there. */
  barred: Partial<Record<ImageRole, Condition>>;
  /** Why a wish gave way. */
  yielded: Partial<Record<ChoiceName | 'audio', Condition>>;
  /** Why a value cannot be chosen beside these pictures and this sound, or null when it can. */
  obstacle: (name: ChoiceName | 'audio', value: Value) => Condition | null;
}

type Value = string | number | boolean | null;
type Facts = Partial<Record<string, Value>>;

/** `present` are the roles for which there is a picture. */
export function fit(model: Model, draft: Draft, present: ReadonlySet<ImageRole>): Fitted {
  const pictures = fitPictures(model, present);
  const sound = fitAudio(model, draft.audio, pictures.facts);
  const facts = { ...pictures.facts, audio: sound.audio };
  const chosen = fitChoices(model, draft, facts);
  return {
    choices: chosen.choices,
    audio: sound.audio,
    count: Math.max(1, ...model.capabilities.counts.filter((count) => count <= draft.count)),
    used: pictures.used,
    needed: pictures.needed,
    barred: pictures.barred,
    yielded: { ...chosen.yielded, ...sound.yielded },
    obstacle: (name, value) => obstacleTo(model, { ...facts, [name]: value }),
  };
}

/** Whether there is a way to do all of this, each value being one that the model has. */
export function canDo(model: Model, facts: Facts): boolean {
  return firstWay(model, facts) !== null;
}

export function takenRoles(model: Model): ImageRole[] {
  return ROLES.filter((role) => (model.capabilities.images[role] ?? 'none') !== 'none');
}

/** Where the only picture goes: where the model needs one, before where it may have one. */
export function mainRole(model: Model): ImageRole | null {
  const taken = MAIN_FIRST.filter((role) => takenRoles(model).includes(role));
  return taken.find((role) => model.capabilities.images[role] === 'required') ?? taken[0] ?? null;
}

/** The value that the model offers for a wish; resolutions are written with large or small letters. */
export function offered(model: Model, name: ChoiceName, wish: Value): Value | undefined {
  return choicesOf(model, name).find((value) => String(value).toLowerCase() === String(wish).toLowerCase());
}

export function choicesOf(model: Model, name: ChoiceName): readonly (string | number)[] {
  const { durations_seconds, resolutions, aspect_ratios } = model.capabilities;
  return { duration_seconds: durations_seconds, resolution: resolutions, aspect_ratio: aspect_ratios }[name];
}

// ---------------------------------------------------------------------------------------------------------------------

interface FittedPictures extends Pick<Fitted, 'used' | 'needed' | 'barred'> {
  facts: Record<ImageRole, boolean>;
}

/** As many of the pictures as go together, with the fewest that must be added to them. */
function fitPictures(model: Model, present: ReadonlySet<ImageRole>): FittedPictures {
  const taken = takenRoles(model);
  const here = taken.filter((role) => present.has(role));
  const missing = taken.filter((role) => !present.has(role));
  for (const used of subsets(here).reverse()) {
    for (const needed of subsets(missing)) {
      const facts = onlyThese([...used, ...needed]);
      if (!canDo(model, facts)) continue;
      return { used, needed, barred: barredBeside(model, facts), facts };
    }
  }
  throw new Error(`${model.id} can do nothing at all`);
}

/** The roles without a picture that could not get one whatever else were added. */
function barredBeside(model: Model, facts: Record<ImageRole, boolean>): Partial<Record<ImageRole, Condition>> {
  const there = Object.fromEntries(ROLES.filter((role) => facts[role]).map((role) => [role, true]));
  const barred: Partial<Record<ImageRole, Condition>> = {};
  for (const role of takenRoles(model)) {
    const reason = facts[role] ? null : obstacleTo(model, { ...there, [role]: true });
    if (reason !== null) barred[role] = reason;
  }
  return barred;
}

function fitAudio(model: Model, wish: boolean, facts: Facts): Pick<Fitted, 'audio' | 'yielded'> {
  const audio = wish && model.capabilities.audio;
  const reason = obstacleTo(model, { ...facts, audio });
  return reason === null ? { audio, yielded: {} } : { audio: !audio, yielded: { audio: reason } };
}

function fitChoices(model: Model, draft: Draft, facts: Facts): Pick<Fitted, 'choices' | 'yielded'> {
  const kept: Facts = { ...facts };
  const yielded: Fitted['yielded'] = {};
  const latestFirst = [...CHOICES].sort((one, other) => rank(one) - rank(other));
  for (const name of latestFirst) {
    const wish = draft.wishes[name] === null ? undefined : offered(model, name, draft.wishes[name]);
    if (wish === undefined) continue;
    const reason = obstacleTo(model, { ...kept, [name]: wish });
    if (reason === null) kept[name] = wish;
    else yielded[name] = reason;
  }
  const way = firstWay(model, kept);
  if (way === null) throw new Error(`${model.id} does not keep its own conditions`);
  return { choices: pick(way), yielded };

  function rank(name: ChoiceName): number {
    return name === draft.lastWish ? 0 : 1;
  }
}

function pick({ duration_seconds = null, resolution = null, aspect_ratio = null }: Facts): Choices {
  return { duration_seconds, resolution, aspect_ratio } as Choices;
}

/** The first combination, in the order of the catalogue, that has these facts and breaks no condition. */
function firstWay(model: Model, facts: Facts): Facts | null {
  for (const way of ways(domainsWith(model, facts))) {
    if (!model.capabilities.conditions.some((condition) => breaks(way, condition))) return way;
  }
  return null;
}

/** The condition for which there is no such combination, or null when there is one. All facts are what the model has. */
function obstacleTo(model: Model, facts: Facts): Condition | null {
  const { conditions } = model.capabilities;
  let always: readonly Condition[] = conditions;
  let last: readonly Condition[] = [];
  for (const way of ways(domainsWith(model, facts))) {
    last = conditions.filter((condition) => breaks(way, condition));
    if (last.length === 0) return null;
    always = always.filter((condition) => last.includes(condition));
  }
  return always[0] ?? last[0] ?? null;
}

function breaks(way: Facts, { when, then }: Condition): boolean {
  return holds(way, when) && !holds(way, then);
}

function holds(way: Facts, wanted: Condition['when']): boolean {
  return Object.entries(wanted).every(([name, values]) => values.some((value) => value === way[name]));
}

type Domain = [name: string, values: readonly Value[]];

/** Everything that can be taken one from each, the last ones changing fastest. */
function* ways([first, ...others]: readonly Domain[]): Generator<Facts> {
  if (first === undefined) {
    yield {};
    return;
  }
  const [name, values] = first;
  for (const value of values) for (const rest of ways(others)) yield { [name]: value, ...rest };
}

/** What the model has of everything that conditions speak about, narrowed to the facts. */
function domainsWith(model: Model, facts: Facts): Domain[] {
  const { images, audio } = model.capabilities;
  const presence = { none: [false], optional: [false, true], required: [true] };
  const domains: Domain[] = [
    ...CHOICES.map((name): Domain => [name, orNothing(choicesOf(model, name))]),
    ['audio', audio ? [false, true] : [false]],
    ...ROLES.map((role): Domain => [role, presence[images[role] ?? 'none']]),
  ];
  return domains.map(([name, values]) => [
    name,
    name in facts ? values.filter((value) => value === facts[name]) : values,
  ]);
}

function orNothing(values: readonly Value[]): readonly Value[] {
  return values.length > 0 ? values : [null];
}

function onlyThese(roles: readonly ImageRole[]): Record<ImageRole, boolean> {
  return Object.fromEntries(ROLES.map((role) => [role, roles.includes(role)])) as Record<ImageRole, boolean>;
}

/** Smallest first; of equal size, later ones first, so that the reverse prefers earlier ones. */
function subsets<Item>(all: readonly Item[]): Item[][] {
  const found = all.reduceRight<Item[][]>((known, item) => [...known, ...known.map((some) => [item, ...some])], [[]]);
  return found.sort((one, other) => one.length - other.length);
}
