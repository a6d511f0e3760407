// The words, counted against what the chosen model takes, and its camera moves among them.
import { useId, useRef, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiError, Model } from '../../api';
import { FieldNote } from '../../components/field-note';
import { explainError } from '../../i18n/coded';
import { CameraField } from './camera-field';
import { promptLength } from './draft';

interface Props {
  prompt: string;
  model: Model;
  /** What the server said no to, if to anything. */
  refused: ApiError | null;
  onChange: (prompt: string) => void;
}

export function PromptField({ prompt, model, refused, onChange }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const counterId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const limit = model.capabilities.prompt_chars_max;
  const used = promptLength(prompt);
  const isOver = used > limit;
  const isRefused = refused?.param === 'prompt';
  return (
    <div className="grid gap-2">
      <label htmlFor={id} className="sr-only">
        {t('form.prompt')}
      </label>
      <div className="rounded-xl border border-edge bg-ink transition-colors focus-within:border-mint-text has-aria-invalid:border-rose">
        <textarea
          ref={field}
          id={id}
          rows={4}
          value={prompt}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={submitByKeys}
          placeholder={model.kind === 'video' ? t('form.promptPlaceholderVideo') : t('form.promptPlaceholderImage')}
          aria-describedby={counterId}
          aria-invalid={isOver || isRefused || undefined}
          className="field-sizing-content max-h-80 min-h-28 w-full resize-none bg-transparent px-4 pt-3.5 outline-none"
        />
        <p
          id={counterId}
          className={`nums px-4 pb-2.5 text-right text-2xs ${isOver ? 'font-semibold text-rose' : 'text-muted'}`}
        >
          <span aria-hidden="true">
            {used} / {limit}
          </span>
          <span className="sr-only">{t('form.promptLeft', { used, limit })}</span>
        </p>
      </div>
      {isRefused && <FieldNote look="bad">{explainError(t, refused).todo}</FieldNote>}
      <CameraField moves={model.capabilities.camera_moves} prompt={field} onChange={onChange} />
    </div>
  );
}

function submitByKeys(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
}
