// Why a picture was not taken, and what to do. Under all the fields, where there is room for words.
import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { FieldNote } from '../../components/field-note';
import { Notice } from '../../components/notice';
import { explainError } from '../../i18n/coded';
import { useFormat } from '../../i18n/format';
import type { Picture } from './use-picture';

export function Refused({ picture }: { picture: Picture }) {
  const { t } = useTranslation();
  const { size } = useFormat();
  const { refusal, phase } = picture;
  if (refusal !== null)
    return <FieldNote look="bad">{t(`picture.${refusal.problem}`, { size: size(refusal.file.size) })}</FieldNote>;
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
