// The shell around every page: who may see it, the header, what to say when the server does not answer.
import { useQueryClient } from '@tanstack/react-query';
import { Component, lazy, Suspense, useEffect, type CSSProperties, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useRoute } from 'wouter';
import { isServerUp } from './api';
import { Button, buttonClass } from './components/button';
import { Mark } from './components/mark';
import { loadToasts } from './components/say';
import { BalancePill } from './features/balance/balance-pill';
import { SettingsMenu } from './features/session/settings-menu';
import { SignIn } from './features/session/sign-in';
import { Studio } from './pages/studio';
import { useReachable } from './reachability';
import { useSession } from './session';
import { useTheme } from './theme';

const BalancePage = lazy(() =>
  import('./features/balance/balance-page').then((page) => ({ default: page.BalancePage })),
);

const Toaster = lazy(() => loadToasts().then((library) => ({ default: library.Toaster })));

const TOAST_COLOURS = {
  '--normal-bg': 'var(--raised)',
  '--normal-border': 'var(--line)',
  '--normal-text': 'var(--text)',
} as CSSProperties;

const KNOCK_EVERY_MS = 3_000;

export function App() {
  const { t } = useTranslation();
  const { token } = useSession();
  const theme = useTheme();
  return (
    <Guard>
      <a
        href="#content"
        className="sr-only rounded-lg bg-mint px-4 py-3 font-semibold text-on-mint focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:z-50"
      >
        {t('app.skip')}
      </a>
      <div className={`flex min-h-dvh flex-col ${token === null ? '' : 'lg:h-dvh'}`}>
        <Unreachable />
        {token === null ? <SignIn /> : <SignedIn />}
      </div>
      <Suspense>
        <Toaster
          theme={theme}
          position="top-center"
          offset={76}
          mobileOffset={76}
          style={TOAST_COLOURS}
          toastOptions={{ className: 'font-sans' }}
        />
      </Suspense>
    </Guard>
  );
}

function SignedIn() {
  const { t } = useTranslation();
  return (
    <>
      <header className="sticky top-0 z-20 flex h-16 items-center gap-2 border-b border-line bg-panel/95 px-4 backdrop-blur sm:px-6 lg:static">
        <Link
          href="/"
          aria-label={`Reelmint: ${t('nav.studio')}`}
          className="mr-auto flex min-h-11 items-center gap-2 text-lg font-semibold tracking-tight"
        >
          <Mark className="size-7 text-mint-text" />
          Reelmint
        </Link>
        <BalancePill />
        <SettingsMenu />
      </header>
      <Page />
    </>
  );
}

function Page() {
  const [isBalance] = useRoute('/balance');
  const [isJob, job] = useRoute('/jobs/:id');
  const [isHome] = useRoute('/');
  if (isBalance) {
    return (
      <div className="scroll-quiet lg:min-h-0 lg:flex-1 lg:overflow-y-auto">
        <Suspense>
          <BalancePage />
        </Suspense>
      </div>
    );
  }
  // One element for both addresses: the form and its picture outlive the way from one to the other.
  if (isHome || isJob) return <Studio jobId={job?.id ?? null} />;
  return <Lost />;
}

function Lost() {
  const { t } = useTranslation();
  return (
    <main id="content" className="grid flex-1 place-content-center justify-items-center gap-4 p-6 text-center">
      <Mark className="size-14 text-mint-text" />
      <h1 className="text-2xl font-semibold">{t('app.lost')}</h1>
      <Link href="/" className={buttonClass('secondary')}>
        {t('app.back')}
      </Link>
    </main>
  );
}

function Unreachable() {
  const { t } = useTranslation();
  const isReachable = useReachable();
  const queries = useQueryClient();
  useEffect(() => {
    if (isReachable) return;
    const timer = setInterval(() => {
      void isServerUp().then((isUp) => (isUp ? queries.invalidateQueries() : undefined));
    }, KNOCK_EVERY_MS);
    return () => clearInterval(timer);
  }, [isReachable, queries]);
  return (
    <div role="status" className="sticky top-0 z-40 empty:hidden">
      {!isReachable && (
        <p className="bg-amber-wash px-4 py-2.5 text-center text-sm font-medium text-amber">{t('app.offline')}</p>
      )}
    </div>
  );
}

/** A mistake of ours in one place must not leave a white page. */
class Guard extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    return this.state.isBroken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useTranslation();
  return (
    <main className="grid min-h-dvh place-content-center justify-items-center gap-4 p-6 text-center">
      <Mark className="size-14 text-mint-text" />
      <p role="alert" className="max-w-[44ch] text-lg">
        {t('app.broken')}
      </p>
      <Button look="primary" onClick={() => location.reload()}>
        {t('app.reload')}
      </Button>
    </main>
  );
}
