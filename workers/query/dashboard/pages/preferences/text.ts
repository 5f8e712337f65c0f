// The texts of the page Preferences.

import { pageTexts } from "../texts.ts";

export default pageTexts(
  {
    lead: "They are yours, at every shop and in every browser where you sign in.",
    region: "Numbers, dates and weeks as in",
    regionHelp: "Such as {number} and {date}; a week begins there as is usual.",
    asBrowser: "As the browser says",
    startPage: "A shop opens with",
    startPageHelp: "After signing in, and from the list of shops.",
    kept: "Kept with your account.",
  },
  {
    de: {
      lead: "Sie gehören Ihnen, in jedem Shop und jedem Browser, in dem Sie sich anmelden.",
      region: "Zahlen, Daten und Wochen wie in",
      regionHelp: "Etwa {number} und {date}; die Woche beginnt, wie es dort üblich ist.",
      asBrowser: "Wie der Browser sagt",
      startPage: "Ein Shop öffnet sich mit",
      startPageHelp: "Nach dem Anmelden und aus der Liste der Shops.",
      kept: "Bei Ihrem Konto gespeichert.",
    },
    es: {
      lead: "Son suyas, en cada tienda y cada navegador en que inicie sesión.",
      region: "Números, fechas y semanas como en",
      regionHelp: "Por ejemplo {number} y {date}; la semana empieza como es habitual allí.",
      asBrowser: "Como diga el navegador",
      startPage: "Una tienda se abre con",
      startPageHelp: "Tras iniciar sesión y desde la lista de tiendas.",
      kept: "Guardado en su cuenta.",
    },
    fr: {
      lead: "Elles sont à vous, dans chaque boutique et chaque navigateur où vous vous connectez.",
      region: "Nombres, dates et semaines comme en",
      regionHelp: "Par exemple {number} et {date} ; la semaine commence comme c’est l’usage là-bas.",
      asBrowser: "Comme le dit le navigateur",
      startPage: "Une boutique s’ouvre sur",
      startPageHelp: "Après la connexion, et depuis la liste des boutiques.",
      kept: "Enregistré avec votre compte.",
    },
    pt: {
      lead: "São suas, em cada loja e em cada navegador onde inicia sessão.",
      region: "Números, datas e semanas como em",
      regionHelp: "Por exemplo {number} e {date}; a semana começa como é costume lá.",
      asBrowser: "Como diz o navegador",
      startPage: "Uma loja abre com",
      startPageHelp: "Depois de iniciar sessão e a partir da lista de lojas.",
      kept: "Guardado na sua conta.",
    },
    ar: {
      lead: "هي لك، في كل متجر وكل متصفح تسجّل الدخول فيه.",
      region: "الأرقام والتواريخ والأسابيع كما في",
      regionHelp: "مثل {number} و{date}؛ ويبدأ الأسبوع كما هو معتاد هناك.",
      asBrowser: "كما يقول المتصفح",
      startPage: "يُفتح المتجر على",
      startPageHelp: "بعد تسجيل الدخول ومن قائمة المتاجر.",
      kept: "حُفظ مع حسابك.",
    },
  },
);
