// The camera moves that a model understands, each put into the prompt where the caret stands. Folded away until wanted.
import { useEffect, useId, useRef, useState, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { FieldNote } from '../../components/field-note';
import { UnfoldButton } from '../../components/unfold-button';
import { moveText } from './move-text';

interface Props {
  moves: readonly string[];
  prompt: RefObject<HTMLTextAreaElement | null>;
  onChange: (prompt: string) => void;
}

export function CameraField({ moves, prompt, onChange }: Props) {
  const { t } = useTranslation();
  const first = useRef<HTMLButtonElement>(null);
  const hintId = useId();
  const [isOpen, setOpen] = useState(false);
  // The moves appear because their button was pressed: the next key belongs to them.
  useEffect(() => {
    if (isOpen) first.current?.focus();
  }, [isOpen]);
  if (moves.length === 0) return null;
  if (!isOpen) return <UnfoldButton onClick={() => setOpen(true)}>{t('camera.legend')}</UnfoldButton>;
  const add = (move: string) => {
    const area = prompt.current;
    if (area === null) return;
    const { selectionStart: start, selectionEnd: end } = area;
    const text = moveText(area.value.slice(0, start), area.value.slice(end), move);
    area.setRangeText(text, start, end, 'end');
    onChange(area.value);
  };
  const names: Record<string, string> = t('camera.moves', { returnObjects: true });
  return (
    <fieldset aria-describedby={hintId}>
      <legend className="mb-1.5 text-xs text-muted">{t('camera.legend')}</legend>
      <div className="flex flex-wrap gap-1">
        {moves.map((move, index) => (
          <Button key={move} ref={index === 0 ? first : undefined} size="sm" onClick={() => add(move)}>
            {names[move] ?? move}
          </Button>
        ))}
      </div>
      <div id={hintId}>
        <FieldNote look="quiet">{t('camera.hint')}</FieldNote>
      </div>
    </fieldset>
  );
}
