// The form: what to make, from which words and picture, with which model and settings, for how many tokens.
import { useEffect, useId, useRef, useState, type KeyboardEvent, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Job, Model } from '../../api';
import { Button } from '../../components/button';
import { Notice } from '../../components/notice';
import { Segmented } from '../../components/segmented';
import { explainError } from '../../i18n/coded';
import { useAccount, useModels } from '../../queries';
import {
  chosenModel,
  draftOf,
  keepDraft,
  needsPicture,
  pictureRole,
  promptLength,
  promptProblem,
  readDraft,
  requestBody,
  type Draft,
} from './draft';
import { ExampleChips } from './examples';
import { GenerateButton } from './generate-button';
import { ModelPicker } from './model-picker';
import { PictureField } from './picture-field';
import { SettingFields } from './setting-fields';
import type { Generation } from './use-generation';
import type { Picture } from './use-picture';
import { usePrice } from './use-price';

/** A wish from outside to fill the form: an old job, or an example. A new object is a new wish. */
export type Refill = { job: Job; focus: 'prompt' | 'generate' } | { prompt: string };

interface Props {
  generation: Generation;
  picture: Picture;
  refill: Refill | null;
  hasExamples: boolean;
}

export function GenerateForm({ generation, picture, refill, hasExamples }: Props) {
  const { t } = useTranslation();
  const models = useModels();
  const account = useAccount();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(readDraft);
  const change = (part: Partial<Draft>) => {
    setDraft((known) => ({ ...known, ...part }));
    generation.dismiss();
  };
  useEffect(() => keepDraft(draft), [draft]);

  // Filling in is a consequence of a new wish, so it happens while rendering, before anything is painted.
  const [filledFrom, setFilledFrom] = useState<Refill | null>(null);
  if (refill !== null && refill !== filledFrom) {
    setFilledFrom(refill);
    setDraft((known) => ('job' in refill ? draftOf(refill.job) : { ...known, prompt: refill.prompt }));
  }
  useEffect(() => {
    if (filledFrom === null) return;
    const target = 'job' in filledFrom && filledFrom.focus === 'prompt' ? 'textarea' : '[data-generate]';
    form.current?.querySelector<HTMLElement>(target)?.focus();
  }, [filledFrom, models.isPending]);

  const model = chosenModel(models.data ?? [], draft);
  const role = model && pictureRole(model);
  // A picture can be priced from the moment it has an id, before all of it has arrived.
  const imageId = picture.phase.name === 'ready' || picture.phase.name === 'uploading' ? picture.phase.imageId : null;
  const isPictureMissing = model !== null && needsPicture(model) && picture.file === null;
  const isPicturePending = model !== null && needsPicture(model) && imageId === null;
  const problem = model && promptProblem(model, draft.prompt);
  const body = model === null || isPicturePending ? null : requestBody(model, draft, imageId);
  const price = usePrice(body, problem === null);
  const isBusy = generation.phase.name === 'uploading' || generation.phase.name === 'sending';

  const reason = (): string | null => {
    if (model === null) return t('form.needModel');
    if (isPictureMissing) return t('form.needPicture');
    if (role !== null && picture.phase.name === 'failed') return t('form.needPictureFixed');
    if (problem?.kind === 'empty') return t('form.needPrompt');
    if (problem?.kind === 'short') return t('form.needPromptMore', { count: problem.min });
    if (problem?.kind === 'long') return t('form.needPromptLess', { count: problem.by });
    return price.error === null ? null : explainError(t, price.error).what;
  };
  const obstacle = reason();
  const isTooDear =
    price.quote !== null && account.data !== undefined && price.quote.total_tokens > account.data.available_tokens;

  const press = () => {
    if (model === null || isBusy || obstacle !== null || isTooDear || price.quote === null) return;
    generation.generate({
      bodyFor: (arrivedImageId) => requestBody(model, draft, arrivedImageId),
      usesPicture: role !== null,
      seen: price.quote,
      isSeenExact: price.isExact,
    });
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    press();
  };

  if (models.isPending) return <Waiting />;
  if (models.isError && models.data === undefined) {
    return (
      <div className="p-4">
        <Notice
          look="bad"
          role="alert"
          title={t('form.modelsFailed')}
          actions={<Button onClick={() => void models.refetch()}>{t('app.retry')}</Button>}
        />
      </div>
    );
  }
  return (
    <form ref={form} noValidate onSubmit={submit} aria-label={t('form.label')} className="flex min-h-full flex-col">
      <div className="grid flex-1 content-start gap-5 px-4 pt-5 pb-6 sm:px-6">
        <Segmented
          legend={t('form.kind')}
          isLegendHidden
          choices={[
            { value: 'video', label: t('form.video') },
            { value: 'image', label: t('form.image') },
          ]}
          value={draft.kind}
          onChange={(kind: Model['kind']) => change({ kind })}
        />
        <PromptField draft={draft} model={model} onChange={(prompt) => change({ prompt })} />
        {hasExamples && draft.prompt === '' && (
          <div className="lg:hidden">
            <ExampleChips onPick={(prompt) => change({ prompt })} />
          </div>
        )}
        {role !== null && model !== null && (
          <PictureField picture={picture} role={role} isRequired={needsPicture(model)} />
        )}
        {role === null && model !== null && picture.file !== null && (
          <p className="rounded-xl bg-amber-wash p-3 text-sm text-amber">
            {t('picture.unused', { model: model.name })}
          </p>
        )}
        <ModelPicker
          models={models.data.filter(({ kind }) => kind === draft.kind)}
          chosen={model}
          onChoose={(modelId) => change({ modelId })}
        />
        {model !== null && <SettingFields model={model} draft={draft} onChange={change} />}
      </div>
      <div className="sticky bottom-0 z-10 border-t border-line bg-panel/95 px-4 pt-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] backdrop-blur sm:px-6">
        <Failure generation={generation} onRetry={press} />
        <GenerateButton
          quote={price.quote}
          priceFromTokens={model?.price_from_tokens ?? null}
          availableTokens={account.data?.available_tokens ?? null}
          isBusy={isBusy}
          reason={obstacle}
        />
      </div>
    </form>
  );
}

function PromptField({
  draft,
  model,
  onChange,
}: {
  draft: Draft;
  model: Model | null;
  onChange: (prompt: string) => void;
}) {
  const { t } = useTranslation();
  const id = useId();
  const counterId = useId();
  const limit = model?.capabilities.prompt_chars_max ?? 0;
  const used = promptLength(draft.prompt);
  const isOver = limit > 0 && used > limit;
  return (
    <div>
      <label htmlFor={id} className="sr-only">
        {t('form.prompt')}
      </label>
      <div className="rounded-xl border border-edge bg-ink transition-colors focus-within:border-mint-text has-aria-invalid:border-rose">
        <textarea
          id={id}
          rows={4}
          value={draft.prompt}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={submitByKeys}
          placeholder={draft.kind === 'video' ? t('form.promptPlaceholderVideo') : t('form.promptPlaceholderImage')}
          aria-describedby={counterId}
          aria-invalid={isOver || undefined}
          className="field-sizing-content max-h-80 min-h-28 w-full resize-none bg-transparent px-4 pt-3.5 outline-none"
        />
        <p
          id={counterId}
          className={`nums px-4 pb-2.5 text-right text-2xs ${isOver ? 'font-semibold text-rose' : 'text-muted'}`}
        >
          <span aria-hidden="true">
            {used}
            {limit > 0 && ` / ${limit}`}
          </span>
          <span className="sr-only">{t('form.promptLeft', { used, limit })}</span>
        </p>
      </div>
    </div>
  );
}

function submitByKeys(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
}

function Failure({ generation, onRetry }: { generation: Generation; onRetry: () => void }) {
  const { t } = useTranslation();
  if (generation.phase.name !== 'failed') return null;
  const { error } = generation.phase;
  const { what, todo } = explainError(t, error);
  return (
    <div className="mb-3">
      <Notice
        look="bad"
        role="alert"
        title={what}
        actions={
          !error.isRefusal && (
            <Button size="sm" onClick={onRetry}>
              {t('app.retry')}
            </Button>
          )
        }
      >
        {error.requiredTokens !== null && error.availableTokens !== null && (
          <p className="font-medium">
            {t('form.missing', {
              count: error.requiredTokens - error.availableTokens,
              available: error.availableTokens,
            })}
          </p>
        )}
        {todo}
      </Notice>
    </div>
  );
}

function Waiting() {
  return (
    <div aria-busy="true" className="grid gap-5 p-6">
      {['h-11', 'h-40', 'h-20', 'h-15', 'h-11'].map((height, index) => (
        <div key={index} className={`animate-breathe rounded-xl bg-raised ${height}`} />
      ))}
    </div>
  );
}
