// The texts of signing in.

import { pageTexts } from "../../pages/texts.ts";

export default pageTexts(
  {
    signInTitle: "Sign in to Footfall",
    signInLead: "Your numbers, each with how sure it is.",
    password: "Password",
    signInWrong: "That address and password do not belong together.",
    signInAccess: "This Footfall signs in through Cloudflare Access. Open it there first.",
    signedOutLead: "Sign in again and go on where you were.",
  },
  {
    ar: {
      signInTitle: "تسجيل الدخول إلى Footfall",
      signInLead: "أرقامك، ومع كل رقم مدى دقته.",
      password: "كلمة المرور",
      signInWrong: "هذا البريد وكلمة المرور هذه لا يتطابقان.",
      signInAccess: "يتم الدخول هنا عبر Cloudflare Access. افتحه هناك أولًا.",
      signedOutLead: "سجّل الدخول مجددًا وتابع من حيث كنت.",
    },
    de: {
      signInTitle: "Bei Footfall anmelden",
      signInLead: "Ihre Zahlen, und zu jeder, wie sicher sie ist.",
      password: "Passwort",
      signInWrong: "Diese Adresse und dieses Passwort gehören nicht zusammen.",
      signInAccess: "Dieses Footfall meldet über Cloudflare Access an. Öffnen Sie es zuerst dort.",
      signedOutLead: "Melden Sie sich wieder an, dann geht es hier weiter.",
    },
    es: {
      signInTitle: "Entrar en Footfall",
      signInLead: "Sus números, y de cada uno, cuán seguro es.",
      password: "Contraseña",
      signInWrong: "Esa dirección y esa contraseña no van juntas.",
      signInAccess: "Este Footfall entra por Cloudflare Access. Ábralo allí primero.",
      signedOutLead: "Entre de nuevo y siga donde estaba.",
    },
    fr: {
      signInTitle: "Se connecter à Footfall",
      signInLead: "Vos chiffres, et pour chacun, à quel point il est sûr.",
      password: "Mot de passe",
      signInWrong: "Cette adresse et ce mot de passe ne vont pas ensemble.",
      signInAccess: "Ce Footfall se connecte par Cloudflare Access. Ouvrez-le d’abord là-bas.",
      signedOutLead: "Reconnectez-vous et continuez où vous étiez.",
    },
    pt: {
      signInTitle: "Entrar no Footfall",
      signInLead: "Os seus números, e de cada um, quão certo é.",
      password: "Palavra-passe",
      signInWrong: "Esse endereço e essa palavra-passe não pertencem um ao outro.",
      signInAccess: "Este Footfall entra pelo Cloudflare Access. Abra-o lá primeiro.",
      signedOutLead: "Entre de novo e continue onde estava.",
    },
  },
);
