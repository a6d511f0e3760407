// Short messages that come and go. The library behind them is loaded after the page, or with the first message.
export const loadToasts = () => import('sonner');

interface Action {
  label: string;
  onClick: () => void;
}

interface More {
  description: string;
  action: Action;
}

export function say(text: string, look: 'plain' | 'success' | 'error' = 'plain', more?: More): void {
  void loadToasts().then(({ toast }) => {
    const show = { plain: toast, success: toast.success, error: toast.error }[look];
    show(text, more);
  });
}
