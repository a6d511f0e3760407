// The settings that the chosen model really has, and no others.
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Model } from '../../api';
import { Button } from '../../components/button';
import { Segmented } from '../../components/segmented';
import { settingsFor, type Draft } from './draft';

interface Props {
  model: Model;
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
}

export function SettingFields({ model, draft, onChange }: Props) {
  const { t } = useTranslation();
  const { capabilities } = model;
  const chosen = settingsFor(model, draft);
  return (
    <div className="flex flex-wrap gap-4 *:grow">
      {chosen.durationSeconds !== null && (
        <Segmented
          legend={t('form.duration')}
          choices={capabilities.durations_seconds.map((count) => ({
            value: count,
            label: <span className="nums">{t('form.seconds', { count })}</span>,
            spoken: t('form.secondsLong', { count }),
          }))}
          value={chosen.durationSeconds}
          onChange={(durationSeconds) => onChange({ durationSeconds })}
        />
      )}
      {chosen.resolution !== null && (
        <Segmented
          legend={t('form.resolution')}
          choices={capabilities.resolutions.map((resolution) => ({ value: resolution, label: resolution }))}
          value={chosen.resolution}
          onChange={(resolution) => onChange({ resolution })}
        />
      )}
      {chosen.aspectRatio !== null && (
        <Segmented
          legend={t('form.aspect')}
          choices={capabilities.aspect_ratios.map((ratio) => ({
            value: ratio,
            label: <Shape ratio={ratio} />,
            spoken: ratio,
          }))}
          value={chosen.aspectRatio}
          onChange={(aspectRatio) => onChange({ aspectRatio })}
        />
      )}
      {capabilities.audio && <Sound isOn={draft.audio} onChange={(audio) => onChange({ audio })} />}
      {capabilities.negative_prompt && (
        <LeaveOut text={draft.negativePrompt} onChange={(negativePrompt) => onChange({ negativePrompt })} />
      )}
    </div>
  );
}

const SHAPE_SIDE = 15;

function Shape({ ratio }: { ratio: string }) {
  const [width = 1, height = 1] = ratio.split(':').map(Number);
  const scale = SHAPE_SIDE / Math.max(width, height);
  return (
    <span className="grid justify-items-center gap-0.5 py-1">
      <span aria-hidden="true" className="grid size-4 place-items-center">
        <span
          className="rounded-[3px] border-[1.5px] border-current"
          style={{ width: width * scale, height: height * scale }}
        />
      </span>
      <span className="nums text-xs">{ratio}</span>
    </span>
  );
}

function Sound({ isOn, onChange }: { isOn: boolean; onChange: (isOn: boolean) => void }) {
  const { t } = useTranslation();
  const hintId = useId();
  return (
    <label className="flex min-h-11 basis-full cursor-pointer items-center justify-between gap-4">
      <span>
        <span className="block text-sm font-medium">{t('form.audio')}</span>
        <span id={hintId} className="block text-xs text-muted">
          {t('form.audioHint')}
        </span>
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={isOn}
        aria-label={t('form.audio')}
        aria-describedby={hintId}
        onChange={(event) => onChange(event.target.checked)}
        className="relative h-7 w-12 shrink-0 cursor-pointer appearance-none rounded-full bg-edge transition-colors before:absolute before:top-1 before:left-1 before:size-5 before:rounded-full before:bg-white before:transition-transform checked:bg-mint checked:before:translate-x-5 checked:before:bg-on-mint"
      />
    </label>
  );
}

function LeaveOut({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const { t } = useTranslation();
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  if (!isOpen && text === '') {
    return (
      <div className="basis-full">
        <Button look="ghost" size="sm" icon="plus" className="-ml-3" onClick={() => setOpen(true)}>
          {t('form.negativeShow')}
        </Button>
      </div>
    );
  }
  return (
    <div className="basis-full">
      <label htmlFor={id} className="mb-1.5 block text-xs text-muted">
        {t('form.negative')}
      </label>
      <textarea
        id={id}
        rows={2}
        value={text}
        // The field appears because its button was pressed: the next key belongs to it.
        ref={(field) => {
          if (field !== null && text === '') field.focus();
        }}
        onChange={(event) => onChange(event.target.value)}
        placeholder={t('form.negativePlaceholder')}
        className="field-sizing-content w-full resize-none rounded-xl border border-edge bg-ink px-3.5 py-2.5"
      />
    </div>
  );
}
