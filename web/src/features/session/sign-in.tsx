// The page for somebody who is not signed in: what this is, and one field to begin.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { signInLocally, type Language } from '../../api';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { Mark } from '../../components/mark';
import { Notice } from '../../components/notice';
import { useTitle } from '../../components/use-title';
import { explainError } from '../../i18n/coded';
import { openSession, useSession } from '../../session';
import { LanguageChoice } from './choices';

export function SignIn() {
  const { t } = useTranslation();
  useTitle(null);
  const promises = [t('session.promisePrice'), t('session.promiseRefund'), t('session.promiseKeep')];
  return (
    <div className="relative isolate grid flex-1 overflow-hidden lg:grid-cols-[1.1fr_1fr]">
      <Projector />
      <header className="absolute inset-x-0 top-0 flex items-center justify-between p-5 lg:px-10 lg:py-8">
        <span className="flex items-center gap-2 text-lg font-semibold tracking-tight">
          <Mark className="size-7 text-mint-text" /> Reelmint
        </span>
        <LanguageChoice isLabelHidden />
      </header>
      <main id="content" className="contents">
        <section className="flex flex-col justify-end px-5 pt-24 pb-6 lg:justify-center lg:px-10 lg:py-28 xl:pl-20">
          <h1 className="max-w-[13ch] text-4xl font-bold tracking-tight">{t('session.title')}</h1>
          <p className="mt-4 max-w-[40ch] text-lg text-muted">{t('session.lead')}</p>
          <ul className="mt-6 grid max-w-[46ch] gap-2.5 lg:mt-8 lg:gap-3">
            {promises.map((promise) => (
              <li key={promise} className="flex gap-3">
                <Icon name="check" className="mt-0.5 size-5 text-mint-text" />
                {promise}
              </li>
            ))}
          </ul>
        </section>
        <section className="flex items-start px-5 pb-12 lg:items-center lg:px-10 xl:px-20">
          <SignInForm />
        </section>
      </main>
    </div>
  );
}

function SignInForm() {
  const { t, i18n } = useTranslation();
  const { ended } = useSession();
  const queries = useQueryClient();
  const [email, setEmail] = useState('');
  const [isInvalid, setInvalid] = useState(false);
  const fieldId = useId();
  const hintId = useId();
  const signIn = useMutation({
    mutationFn: (address: string) => signInLocally(address, i18n.language as Language),
    onSuccess: ({ token, account }) => {
      queries.clear();
      queries.setQueryData(['account'], account);
      openSession(token);
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const isValid = event.currentTarget.checkValidity();
    setInvalid(!isValid);
    if (isValid && !signIn.isPending) signIn.mutate(email.trim());
    else document.getElementById(fieldId)?.focus();
  };
  const explanation = signIn.error && explainError(t, signIn.error);
  return (
    <form
      noValidate
      onSubmit={submit}
      className="w-full max-w-md rounded-3xl border border-line bg-panel p-6 shadow-lift sm:p-8"
    >
      <h2 className="text-xl font-semibold">{t('session.formTitle')}</h2>
      {ended && (
        <div className="mt-4">
          <Notice look="warn" title={t('session.ended')} role="status" />
        </div>
      )}
      <label htmlFor={fieldId} className="mt-6 block text-sm font-medium">
        {t('session.email')}
      </label>
      <input
        id={fieldId}
        type="email"
        name="email"
        required
        autoComplete="email"
        inputMode="email"
        spellCheck={false}
        value={email}
        onChange={(event) => {
          setEmail(event.target.value);
          setInvalid(false);
        }}
        aria-invalid={isInvalid}
        aria-describedby={hintId}
        placeholder="name@example.com"
        className="mt-2 h-12 w-full rounded-xl border border-edge bg-ink px-4 aria-invalid:border-rose"
      />
      <p id={hintId} className={`mt-2 text-sm ${isInvalid ? 'text-rose' : 'text-muted'}`}>
        {isInvalid ? t('session.emailInvalid') : t('session.emailHint')}
      </p>
      <Button type="submit" look="primary" size="lg" className="mt-6 w-full">
        {signIn.isPending ? t('session.submitting') : t('session.submit')}
      </Button>
      <div className="mt-4 empty:hidden">
        {explanation && (
          <Notice look="bad" role="alert" title={explanation.what}>
            {explanation.todo}
          </Notice>
        )}
      </div>
    </form>
  );
}

/** The light of the room: two slow patches of colour behind everything. */
function Projector() {
  return (
    <div aria-hidden="true" className="pointer-events-none absolute inset-0 -z-10">
      <div className="absolute -top-1/3 left-0 size-[80vmax] glow animate-drift text-mint opacity-20" />
      <div className="absolute -right-1/4 -bottom-1/3 size-[65vmax] glow animate-drift-back text-[#3b6fd8] opacity-20" />
    </div>
  );
}
