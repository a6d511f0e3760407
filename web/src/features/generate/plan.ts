// What would be asked for if Generate were pressed now: the draft and the pictures, as the chosen model takes them.
import type { ImageRole, JobRequest, Model } from '../../api';
import { promptProblem, requestBody, type Draft, type ImageIds, type PromptProblem } from './draft';
import { fit, ROLES, type Fitted } from './fitting';
import { placesFor, type Places } from './picture-places';
import { sizeProblem, type SizeProblem } from './picture-rules';
import { canStandIn } from './stand-ins';
import { imageIdOf, type Picture, type Pictures } from './use-picture';

export interface Plan {
  model: Model;
  places: Places;
  fitted: Fitted;
  problem: PromptProblem | null;
  /** The pictures that go out, by their role with this model. */
  sent: Partial<Record<ImageRole, Picture>>;
  /** Those that the model cannot use. */
  sizeProblems: Partial<Record<ImageRole, SizeProblem>>;
  /** The model cannot use one of them, or the server did not take it. */
  hasBadPicture: boolean;
  bodyFor: (imageIds: ImageIds) => JobRequest;
  /** What can be priced; null while a picture has no id yet. */
  body: JobRequest | null;
}

/** `allowed` are the models that may do it instead; those that could not are left out. */
export function planFor(model: Model, draft: Draft, pictures: Pictures, allowed: readonly Model[]): Plan {
  const given = new Set(ROLES.filter((role) => pictures[role].file !== null));
  const places = placesFor(model, given);
  const fitted = fit(model, draft, new Set(ROLES.filter((role) => places[role] !== undefined)));
  const sent: Plan['sent'] = Object.fromEntries(fitted.used.map((role) => [role, pictures[places[role] ?? role]]));
  const standIns = allowed.filter((other) => canStandIn(other, { model, draft, fitted })).map(({ id }) => id);
  const bodyFor = (imageIds: ImageIds) => requestBody(model, draft, fitted, imageIds, standIns);
  const sizeProblems = sizeProblemsOf(model, sent, fitted.choices.aspect_ratio);
  const hasProblems = Object.keys(sizeProblems).length > 0;
  const ids = Object.entries(sent).map(([role, picture]) => [role, imageIdOf(picture)] as const);
  const isPriceable = fitted.needed.length === 0 && ids.every(([, id]) => id !== null);
  return {
    model,
    places,
    fitted,
    problem: promptProblem(model, draft.prompt),
    sent,
    sizeProblems,
    hasBadPicture: hasProblems || Object.values(sent).some(({ phase }) => phase.name === 'failed'),
    bodyFor,
    body: isPriceable ? bodyFor(Object.fromEntries(ids)) : null,
  };
}

/** Known as soon as the server has measured the pictures. */
function sizeProblemsOf(model: Model, sent: Plan['sent'], aspectRatio: string | null): Plan['sizeProblems'] {
  const problems: Plan['sizeProblems'] = {};
  for (const role of ROLES) {
    const phase = sent[role]?.phase;
    if (phase?.name !== 'ready' || phase.width === null || phase.height === null) continue;
    const problem = sizeProblem(model, phase.width, phase.height, aspectRatio);
    if (problem !== null) problems[role] = problem;
  }
  return problems;
}
