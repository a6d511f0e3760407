// The form: what to make, with which model, from which words and pictures, with which settings, for how many tokens.
import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Model } from '../../api';
import { Button } from '../../components/button';
import { Notice } from '../../components/notice';
import { Segmented } from '../../components/segmented';
import { explainError } from '../../i18n/coded';
import { useAccount, useModels } from '../../queries';
import { chosenModel, takesPrompt, type Draft } from './draft';
import { ExampleChips } from './examples';
import { GenerateButton } from './generate-button';
import { ModelPicker } from './model-picker';
import { obstacleTo } from './obstacle';
import { planFor } from './plan';
import { PictureFields } from './picture-fields';
import { PromptField } from './prompt-field';
import { SettingFields } from './setting-fields';
import { StandInField } from './stand-in-field';
import { useDraft, type Drafting, type Refill } from './use-draft';
import type { Generation } from './use-generation';
import type { Pictures } from './use-picture';
import { usePrice } from './use-price';

interface Props {
  generation: Generation;
  pictures: Pictures;
  refill: Refill | null;
  hasExamples: boolean;
}

export function GenerateForm({ refill, ...props }: Props) {
  const { t } = useTranslation();
  const models = useModels();
  const drafting = useDraft(refill);
  if (models.isPending) return <Waiting />;
  if (models.data === undefined) {
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
  return <Form {...props} {...drafting} models={models.data} />;
}

type FormProps = Omit<Props, 'refill'> & Drafting & { models: readonly Model[] };

function Form({ generation, pictures, hasExamples, models, draft, change: changeDraft, filledFrom }: FormProps) {
  const { t } = useTranslation();
  const account = useAccount();
  const form = useRef<HTMLFormElement>(null);
  const [isPicking, setPicking] = useState(false);
  const change = (part: Partial<Draft>) => {
    changeDraft(part);
    generation.dismiss();
  };
  const focus = filledFrom !== null && 'job' in filledFrom ? filledFrom.focus : 'generate';
  const [answered, setAnswered] = useState<Refill | null>(null);
  if (filledFrom !== answered) {
    setAnswered(filledFrom);
    setPicking(focus === 'model');
  }
  useEffect(() => {
    if (filledFrom === null || focus === 'model') return;
    form.current?.querySelector<HTMLElement>(focus === 'prompt' ? 'textarea' : '[data-generate]')?.focus();
  }, [filledFrom, focus]);

  const ofKind = models.filter(({ kind }) => kind === draft.kind);
  const model = chosenModel(models, draft);
  const wished = ofKind.find(({ id }) => id === draft.modelIds[draft.kind]) ?? null;
  const allowed = draft.fallbackModels.flatMap((id) => ofKind.filter((other) => other.id === id && other !== model));
  const plan = model && planFor(model, draft, pictures, allowed);
  const price = usePrice(plan?.body ?? null, plan !== null && plan.problem === null);
  const isBusy = generation.phase.name === 'uploading' || generation.phase.name === 'sending';
  const refused = generation.phase.name === 'failed' ? generation.phase.error : price.error;

  const obstacle = obstacleTo(t, plan, price.error);
  const isTooDear =
    price.quote !== null && account.data !== undefined && price.quote.total_tokens > account.data.available_tokens;
  const press = () => {
    if (plan === null || isBusy || obstacle !== null || isTooDear || price.quote === null) return;
    const { bodyFor, sent } = plan;
    generation.generate({ bodyFor, pictures: sent, seen: price.quote, isSeenExact: price.isExact });
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    press();
  };
  return (
    <form ref={form} noValidate onSubmit={submit} aria-label={t('form.label')} className="flex min-h-full flex-col">
      <div className="grid flex-1 grid-cols-[minmax(0,1fr)] content-start gap-5 px-4 pt-5 pb-6 sm:px-6">
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
        <ModelPicker
          models={ofKind}
          chosen={model}
          replaced={wished === model ? null : wished}
          isOpen={isPicking}
          onOpen={setPicking}
          onChoose={(id) => change({ modelIds: { ...draft.modelIds, [draft.kind]: id } })}
        />
        {plan !== null && (
          <>
            {takesPrompt(plan.model) ? (
              <PromptField
                prompt={draft.prompt}
                model={plan.model}
                refused={refused}
                onChange={(prompt) => change({ prompt })}
              />
            ) : (
              <p className="text-sm text-muted">{t('form.noPrompt', { model: plan.model.name })}</p>
            )}
            {hasExamples && draft.prompt === '' && takesPrompt(plan.model) && (
              <div className="lg:hidden">
                <ExampleChips onPick={(prompt) => change({ prompt })} />
              </div>
            )}
            <PictureFields {...plan} pictures={pictures} refused={refused} onChange={generation.dismiss} />
            <SettingFields {...plan} draft={draft} refused={refused} onChange={change} />
            <StandInField
              asked={{ ...plan, draft }}
              models={ofKind}
              allowed={allowed}
              totalTokens={price.quote?.total_tokens ?? null}
              refused={refused}
              onChange={(fallbackModels) => change({ fallbackModels })}
            />
          </>
        )}
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
      {['h-11', 'h-15', 'h-40', 'h-20', 'h-11'].map((height, index) => (
        <div key={index} className={`animate-breathe rounded-xl bg-raised ${height}`} />
      ))}
    </div>
  );
}
