// Drop, paste or pick one picture; see it, watch it travel, take it away again.
import { useEffect, useRef, useState } from 'react';
import { useDropzone } from 'react-dropzone';
import { useTranslation } from 'react-i18next';
import type { ImageRole } from '../../api';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { Notice } from '../../components/notice';
import { say } from '../../components/say';
import { explainError } from '../../i18n/coded';
import { useFormat } from '../../i18n/format';
import { PICTURE_TYPES } from './picture-rules';
import type { Picture } from './use-picture';

const ACCEPTED = Object.fromEntries(PICTURE_TYPES.map((type) => [type, []]));

interface Props {
  picture: Picture;
  role: ImageRole;
  isRequired: boolean;
}

export function PictureField({ picture, role, isRequired }: Props) {
  const { t } = useTranslation();
  const takeFirst = useTakeFirst(picture);
  const { getRootProps, getInputProps, isDragActive, open } = useDropzone({
    accept: ACCEPTED,
    noClick: true,
    noKeyboard: true,
    // A drop beside the field is taken too, not thrown away.
    preventDropOnDocument: false,
    // Our own rules say what is wrong with a file, in the person's language.
    onDrop: (accepted, refused) => takeFirst([...accepted, ...refused.map(({ file }) => file)]),
  });
  useWholePage(takeFirst);
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 text-xs text-muted">
        {t(`picture.${role}`)} · {isRequired ? t('picture.required') : t('picture.optional')}
      </legend>
      <div
        {...getRootProps({ role: 'presentation', tabIndex: -1 })}
        className={`rounded-xl border transition-colors ${isDragActive ? 'border-mint bg-mint-wash' : picture.file === null ? 'border-dashed border-edge' : 'border-line bg-raised'}`}
      >
        <input {...getInputProps({ 'aria-label': t(`picture.${role}`) })} data-testid="picture-input" />
        {picture.file === null ? (
          <Invitation isDragActive={isDragActive} onChoose={open} />
        ) : (
          <Chosen picture={picture} />
        )}
      </div>
      <Refused picture={picture} />
    </fieldset>
  );
}

function Invitation({ isDragActive, onChoose }: { isDragActive: boolean; onChoose: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="flex items-center gap-3 p-3.5">
      <span className="grid size-11 place-items-center rounded-lg bg-raised text-mint-text">
        <Icon name="image" />
      </span>
      <div className="min-w-0 flex-1 text-sm">
        {isDragActive ? (
          <p className="font-medium">{t('picture.dropHere')}</p>
        ) : (
          <p>
            <span className="pointer-coarse:hidden">{t('picture.drop')} </span>
            <button
              type="button"
              onClick={onChoose}
              className="rounded py-1 font-semibold text-mint-text underline underline-offset-4 hover:no-underline"
            >
              <span className="pointer-coarse:hidden">{t('picture.choose')}</span>
              <span className="hidden pointer-coarse:inline">{t('picture.chooseByTouch')}</span>
            </button>
          </p>
        )}
        <p className="text-xs text-muted">{t('picture.rules')}</p>
      </div>
    </div>
  );
}

function Chosen({ picture }: { picture: Picture }) {
  const { t } = useTranslation();
  const { size } = useFormat();
  const { phase, file, previewUrl } = picture;
  const [unseen, setUnseen] = useState<string | null>(null);
  const percent = phase.name === 'uploading' ? phase.percent : 100;
  return (
    <div className="flex items-center gap-3 p-2.5">
      {previewUrl === null || previewUrl === unseen ? (
        <span className="grid size-16 shrink-0 place-items-center rounded-lg bg-stage text-muted">
          <Icon name="image" />
        </span>
      ) : (
        <img
          src={previewUrl}
          alt={t('picture.preview', { name: file?.name ?? '' })}
          onError={() => setUnseen(previewUrl)}
          className="size-16 shrink-0 rounded-lg bg-stage object-cover"
        />
      )}
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{file?.name}</p>
        <p className="nums flex items-center gap-1 text-xs text-muted">
          {size(file?.size ?? 0)}
          {phase.name !== 'failed' && ' · '}
          <Arrival picture={picture} />
        </p>
        {phase.name === 'uploading' && (
          <div className="mt-1.5 h-1 overflow-hidden rounded-full bg-line">
            <div className="h-full rounded-full bg-mint transition-[width]" style={{ width: `${percent}%` }} />
          </div>
        )}
      </div>
      <button
        type="button"
        aria-label={t('picture.remove')}
        onClick={picture.remove}
        className="grid size-11 place-items-center rounded-lg text-muted hover:bg-line hover:text-text"
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

function Arrival({ picture: { phase } }: { picture: Picture }) {
  const { t } = useTranslation();
  if (phase.name === 'ready') {
    return (
      <span className="inline-flex items-center gap-0.5 text-mint-text">
        <Icon name="check" className="size-4" /> {t('picture.ready')}
      </span>
    );
  }
  if (phase.name !== 'uploading') return null;
  return phase.percent < 100 ? t('picture.uploading', { percent: phase.percent }) : t('picture.checking');
}

function Refused({ picture }: { picture: Picture }) {
  const { t } = useTranslation();
  const { size } = useFormat();
  const { refusal, phase } = picture;
  if (refusal !== null) {
    return (
      <p role="alert" className="mt-2 text-sm text-rose">
        {t(`picture.${refusal.problem}`, { size: size(refusal.file.size) })}
      </p>
    );
  }
  if (phase.name !== 'failed') return null;
  const { what, todo } = explainError(t, phase.error);
  return (
    <div className="mt-2">
      <Notice
        look="bad"
        role="alert"
        title={what}
        actions={
          !phase.error.isRefusal && (
            <Button size="sm" onClick={picture.retry}>
              {t('app.retry')}
            </Button>
          )
        }
      >
        {todo}
      </Notice>
    </div>
  );
}

function useTakeFirst(picture: Picture): (files: readonly File[]) => void {
  const { t } = useTranslation();
  return (files) => {
    const first = files[0];
    if (first === undefined) return;
    picture.add(first);
    if (files.length > 1) say(t('picture.tooMany'));
  };
}

/** A paste anywhere, and a drop that misses the field, count as well. */
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
