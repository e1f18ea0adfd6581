import {
  createContext,
  useContext,
  useEffect,
  useRef,
  useState,
  type ReactNode,
  type SubmitEvent,
} from 'react';
import type { Form } from '../page.ts';
import { texts } from '../texts.ts';

/** The value of the button that was pressed, while its answer is on the way. */
const Pending = createContext<string | null>(null);
const nobody = '';
/** An answer that leads out of the browser, into an app, leaves the page as it is. */
const pendingMs = 10_000;

/**
 * A form that the browser sends by itself. With JavaScript a second press, while the first is on its way,
 * does nothing. While it is held back, a press waits.
 */
export function PageForm({ form, className, isHeldBack = false, isReady, children }: FormProps) {
  const element = useRef<HTMLFormElement>(null);
  const isWaiting = useRef(false);
  const [pending, setPending] = useState<string | null>(null);
  const isPending = useRef(false);
  useEffect(() => {
    const settle = () => {
      isPending.current = false;
      setPending(null);
    };
    const timer = pending === null ? undefined : setTimeout(settle, pendingMs);
    // The page may come back from the history just as it was left.
    window.addEventListener('pageshow', settle);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('pageshow', settle);
    };
  }, [pending]);
  useEffect(() => {
    if (isHeldBack || !isWaiting.current) return;
    isWaiting.current = false;
    element.current?.requestSubmit();
  }, [isHeldBack]);
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    if (isReady?.() === false) return event.preventDefault();
    if (isHeldBack) {
      isWaiting.current = true;
      setPending(nobody);
      return event.preventDefault();
    }
    if (isPending.current) return event.preventDefault();
    isPending.current = true;
    setPending((event.nativeEvent.submitter as HTMLButtonElement | null)?.value ?? nobody);
  };
  return (
    <form ref={element} method="post" action={form.action} className={className} onSubmit={onSubmit}>
      {Object.entries(form.hidden).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <Pending value={pending}>{children}</Pending>
      <span className="visually-hidden" role="status">
        {pending === null ? '' : texts.pending}
      </span>
    </form>
  );
}

type FormProps = {
  form: Form;
  className?: string;
  /** Something that is sent along is still being worked out. */
  isHeldBack?: boolean;
  /** Asked at each press; false: nothing is sent, and whoever says so sends the form themselves. */
  isReady?: () => boolean;
  children: ReactNode;
};

type SubmitProps = {
  children: ReactNode;
  kind?: 'main' | 'other' | 'quiet';
  /** What the form says of the press, as `decision`. */
  decision?: string;
};

/** A button that sends its form. Those that turn something down do not ask that the fields be right. */
export function Submit({ children, kind = 'main', decision }: SubmitProps) {
  const pending = useContext(Pending);
  const isPressed = pending !== null && pending === (decision ?? nobody);
  return (
    <button
      type="submit"
      className={`button ${kind}`}
      aria-disabled={pending !== null}
      data-pending={isPressed}
      formNoValidate={kind !== 'main'}
      {...(decision === undefined ? {} : { name: 'decision', value: decision })}
    >
      {children}
    </button>
  );
}
