// Short messages that come and go. The library behind them is loaded after the page, or with the first message.
export const loadToasts = () => import('sonner');

interface Action {
  label: string;
  onClick: () => void;
}

export function say(text: string, look: 'plain' | 'success' | 'error' = 'plain', action?: Action): void {
  void loadToasts().then(({ toast }) => {
    const show = { plain: toast, success: toast.success, error: toast.error }[look];
    show(text, { action });
  });
}
