// Where the pictures go: one area for each role that the model has, and what is told about the pictures it has not.
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiError, ImageRole, Model } from '../../api';
import { FieldNote } from '../../components/field-note';
import { say } from '../../components/say';
import { explainError } from '../../i18n/coded';
import { mainRole, takenRoles, type Fitted } from './fitting';
import { PictureField } from './picture-field';
import { Refused } from './picture-refused';
import type { Places } from './picture-places';
import type { Plan } from './plan';
import type { SizeProblem } from './picture-rules';
import { ruleWords } from './rule-words';
import type { Picture, Pictures } from './use-picture';

interface Props {
  model: Model;
  pictures: Pictures;
  places: Places;
  fitted: Fitted;
  sizeProblems: Plan['sizeProblems'];
  /** What the server said no to, if to anything. */
  refused: ApiError | null;
  onChange: () => void;
}

export function PictureFields({ model, pictures, places, fitted, sizeProblems, refused, onChange }: Props) {
  const { t } = useTranslation();
  const roles = takenRoles(model);
  const at = (role: ImageRole): Picture => pictures[places[role] ?? role];
  const take = (role: ImageRole, files: readonly File[]) => {
    const first = files[0];
    if (first === undefined) return;
    at(role).add(first);
    onChange();
    if (files.length > 1) say(t('picture.tooMany'));
  };
  const nextEmpty = roles.find((role) => at(role).file === null && fitted.barred[role] === undefined);
  const welcoming = fitted.needed[0] ?? nextEmpty ?? mainRole(model);
  useWholePage((files) => {
    if (welcoming !== null) take(welcoming, files);
  });
  const strays = Object.entries(pictures).filter(
    ([given, picture]) => picture.file !== null && !Object.values(places).some((role) => role === given),
  );
  return (
    <>
      {roles.length > 0 && (
        <div>
          <div className={roles.length > 1 ? 'grid grid-cols-2 gap-3 *:last:odd:col-span-2' : ''}>
            {roles.map((role) => (
              <PictureField
                key={role}
                role={role}
                picture={at(role)}
                isNeeded={model.capabilities.images[role] === 'required' || fitted.needed.includes(role)}
                isSmall={roles.length > 1}
                isBarred={fitted.barred[role] !== undefined}
                isUnfit={sizeProblems[role] !== undefined}
                onTake={(files) => take(role, files)}
                onRemove={() => {
                  at(role).remove();
                  onChange();
                }}
              >
                <RoleNote role={role} {...{ model, fitted, refused }} problem={sizeProblems[role]} />
              </PictureField>
            ))}
          </div>
          {roles.map((role) => (
            <Refused key={role} picture={at(role)} />
          ))}
          <p className="mt-1.5 text-xs text-muted">
            {t('picture.rules')} {model.capabilities.picture.crop && t('picture.crop')}
          </p>
        </div>
      )}
      {strays.map(([given, { file }]) => (
        <p key={given} className="rounded-xl bg-amber-wash p-3 text-sm text-amber">
          {t('picture.unused', { model: model.name, name: file?.name ?? '' })}
        </p>
      ))}
    </>
  );
}

interface NoteProps {
  role: ImageRole;
  model: Model;
  fitted: Fitted;
  refused: ApiError | null;
  problem: SizeProblem | undefined;
}

function RoleNote({ role, model, fitted, refused, problem }: NoteProps) {
  const { t } = useTranslation();
  const bar = fitted.barred[role];
  if (bar !== undefined) return <FieldNote look="quiet">{ruleWords(t, model, bar)}</FieldNote>;
  if (problem?.kind === 'tooSmall')
    return <FieldNote look="bad">{t('picture.tooSmall', { pixels: problem.pixels })}</FieldNote>;
  if (problem?.kind === 'tooNarrow') return <FieldNote look="bad">{t('picture.tooNarrow')}</FieldNote>;
  if (refused?.param !== `images.${role}`) return null;
  return (
    <FieldNote look="bad">
      {explainError(t, refused).what} <span lang="en">{refused.message}</span>
    </FieldNote>
  );
}

/** A paste anywhere, and a drop that misses the fields, count as well. */
function useWholePage(take: (files: readonly File[]) => void): void {
  const latest = useRef(take);
  useEffect(() => {
    latest.current = take;
  });
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      latest.current(files);
    };
    const allow = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      if (event.defaultPrevented) return;
      event.preventDefault();
      latest.current([...(event.dataTransfer?.files ?? [])]);
    };
    document.addEventListener('paste', paste);
    document.addEventListener('dragover', allow);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('paste', paste);
      document.removeEventListener('dragover', allow);
      document.removeEventListener('drop', drop);
    };
  }, []);
}
