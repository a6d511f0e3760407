// One picture in one role: drop it or pick it, see it, watch it travel, take it away again.
import { useState, type ReactNode } from 'react';
import { useDropzone } from 'react-dropzone';
import { useTranslation } from 'react-i18next';
import type { ImageRole } from '../../api';
import { Icon } from '../../components/icon';
import { useFormat } from '../../i18n/format';
import { PICTURE_TYPES } from './picture-rules';
import type { Picture } from './use-picture';

const ACCEPTED = Object.fromEntries(PICTURE_TYPES.map((type) => [type, []]));

interface Props {
  role: ImageRole;
  picture: Picture;
  isNeeded: boolean;
  /** One of several that stand side by side. */
  isSmall: boolean;
  /** It cannot be given beside what else is there; a picture that is here already does not go out. */
  isBarred: boolean;
  /** It has arrived, and the model cannot use it. */
  isUnfit: boolean;
  onTake: (files: readonly File[]) => void;
  onRemove: () => void;
  /** What there is to say about the picture with this model. */
  children: ReactNode;
}

export function PictureField({ role, picture, isNeeded, isSmall, onTake, onRemove, children, ...state }: Props) {
  const { t } = useTranslation();
  const { isBarred, isUnfit } = state;
  const { getRootProps, getInputProps, isDragActive, open } = useDropzone({
    accept: ACCEPTED,
    disabled: isBarred,
    noClick: true,
    noKeyboard: true,
    // A drop beside the field is taken too, not thrown away.
    preventDropOnDocument: false,
    // Our own rules say what is wrong with a file, in the person's language.
    onDrop: (accepted, refused) => onTake([...accepted, ...refused.map(({ file }) => file)]),
  });
  const isEmpty = picture.file === null;
  const edge = isDragActive
    ? 'border-mint bg-mint-wash'
    : isEmpty
      ? 'border-dashed border-edge'
      : isUnfit || picture.phase.name === 'failed'
        ? 'border-rose bg-raised'
        : 'border-line bg-raised';
  return (
    <fieldset className="flex min-w-0 flex-col">
      <legend className="mb-1.5 text-xs text-muted">
        {t(`picture.${role}`)}
        {/* Side by side there is no room to say of each that it may be left out. */}
        <span className={isNeeded ? (isEmpty ? 'font-medium text-amber' : '') : isSmall ? 'sr-only' : ''}>
          {' · '}
          {isNeeded ? t('picture.required') : t('picture.optional')}
        </span>
      </legend>
      <div
        {...getRootProps({ role: 'presentation', tabIndex: -1 })}
        className={`relative overflow-hidden rounded-xl border transition-colors ${edge} ${isBarred ? 'opacity-60' : ''} ${isSmall ? 'h-31' : ''}`}
      >
        <input {...getInputProps({ 'aria-label': t(`picture.${role}`) })} />
        {isEmpty ? (
          <Invitation {...{ isSmall, isBarred, isDragActive }} onChoose={open} />
        ) : (
          <Chosen {...{ picture, isSmall, isUnfit, onRemove }} />
        )}
      </div>
      {children}
    </fieldset>
  );
}

interface InvitationProps {
  isSmall: boolean;
  isBarred: boolean;
  isDragActive: boolean;
  onChoose: () => void;
}

function Invitation({ isSmall, isBarred, isDragActive, onChoose }: InvitationProps) {
  const { t } = useTranslation();
  return (
    <div
      className={`flex items-center gap-3 p-3.5 ${isSmall ? 'size-full flex-col justify-center gap-2 text-center' : ''}`}
    >
      <span className="grid size-11 shrink-0 place-items-center rounded-lg bg-raised text-mint-text">
        <Icon name="image" />
      </span>
      <p className={`min-w-0 text-sm ${isSmall ? '*:first-letter:uppercase' : ''}`}>
        {isDragActive ? (
          <span className="font-medium">{t('picture.dropHere')}</span>
        ) : (
          <>
            {!isSmall && <span className="pointer-coarse:hidden">{t('picture.drop')} </span>}
            <button
              type="button"
              aria-disabled={isBarred || undefined}
              onClick={isBarred ? undefined : onChoose}
              className="inline-block rounded py-1 font-semibold text-mint-text underline underline-offset-4 before:absolute before:inset-0 hover:no-underline aria-disabled:no-underline"
            >
              <span className="pointer-coarse:hidden">{t('picture.choose')}</span>
              <span className="hidden pointer-coarse:inline">{t('picture.chooseByTouch')}</span>
            </button>
          </>
        )}
      </p>
    </div>
  );
}

type ChosenProps = Pick<Props, 'picture' | 'isSmall' | 'isUnfit' | 'onRemove'>;

function Chosen({ picture, isSmall, isUnfit, onRemove }: ChosenProps) {
  const { t } = useTranslation();
  const { size } = useFormat();
  const { phase, file } = picture;
  const remove = (
    <button
      type="button"
      aria-label={t('picture.remove')}
      onClick={onRemove}
      className={`grid place-items-center rounded-lg ${isSmall ? 'absolute top-1 right-1 size-9 bg-black/60 text-white hover:bg-black/80' : 'size-11 text-muted hover:bg-line hover:text-text'}`}
    >
      <Icon name="close" />
    </button>
  );
  if (isSmall) {
    return (
      <>
        <Preview picture={picture} className="size-full" />
        <p className="nums absolute inset-x-0 bottom-0 bg-linear-to-t from-black/85 to-transparent px-2.5 pt-6 pb-1.5 text-2xs text-white">
          {!isUnfit && <Arrival picture={picture} look="text-white" />}
        </p>
        <Travelled picture={picture} className="absolute inset-x-0 bottom-0" />
        {remove}
      </>
    );
  }
  return (
    <div className="flex items-center gap-3 p-2.5">
      <Preview picture={picture} className="size-16 rounded-lg" />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{file?.name}</p>
        <p className="nums flex items-center gap-1 text-xs text-muted">
          {size(file?.size ?? 0)}
          {phase.name !== 'failed' && !isUnfit && (
            <>
              {' · '}
              <Arrival picture={picture} look="text-mint-text" />
            </>
          )}
        </p>
        <Travelled picture={picture} className="mt-1.5 rounded-full" />
      </div>
      {remove}
    </div>
  );
}

function Preview({ picture: { file, previewUrl }, className }: { picture: Picture; className: string }) {
  const { t } = useTranslation();
  const [unseen, setUnseen] = useState<string | null>(null);
  if (previewUrl === null || previewUrl === unseen) {
    return (
      <span className={`grid shrink-0 place-items-center bg-stage text-muted ${className}`}>
        <Icon name="image" />
      </span>
    );
  }
  return (
    <img
      src={previewUrl}
      alt={t('picture.preview', { name: file?.name ?? '' })}
      onError={() => setUnseen(previewUrl)}
      className={`shrink-0 bg-stage object-cover ${className}`}
    />
  );
}

function Travelled({ picture: { phase }, className }: { picture: Picture; className: string }) {
  if (phase.name !== 'uploading') return null;
  return (
    <div className={`h-1 overflow-hidden bg-line ${className}`}>
      <div className="h-full rounded-full bg-mint transition-[width]" style={{ width: `${phase.percent}%` }} />
    </div>
  );
}

function Arrival({ picture: { phase }, look }: { picture: Picture; look: string }) {
  const { t } = useTranslation();
  if (phase.name === 'ready') {
    return (
      <span className={`inline-flex items-center gap-0.5 ${look}`}>
        <Icon name="check" className="size-4" /> {t('picture.ready')}
      </span>
    );
  }
  if (phase.name !== 'uploading') return null;
  return phase.percent < 100 ? t('picture.uploading', { percent: phase.percent }) : t('picture.checking');
}
