// The texts of the page Return.

import { pageTexts } from "../texts.ts";

export default pageTexts(
  {
    retention: "Who came back",
    retentionLead:
      "Of those who first came in a week of this range: how many came in the weeks after. The last week of a row may still go on. Only visitors with an id of their own can be told again tomorrow; others are somebody new each day.",
    firstWeek: "First came",
    weekAfter: "week {n}",
    oneWeek: "This range has no second week in which somebody could come back.",
    nobodyReturned:
      "Nobody was seen again in a later week. If your shop sends no visitor ids, that cannot be seen: without one nobody is followed, and whoever comes tomorrow is somebody new.",
    paths: "Paths through the shop",
    pathsLead: "The first {n} pages of visits, the most frequent ways first. Choose a page to see the visits with it.",
    depth: "How many pages",
    pagesDeep: "{n} pages",
    path: "Path",
    left: "then left",
  },
  {
    de: {
      retention: "Wer wiederkam",
      retentionLead:
        "Von denen, die in einer Woche dieses Zeitraums zuerst kamen: wie viele in den Wochen danach kamen. Die letzte Woche einer Zeile kann noch laufen. Wiedererkannt werden nur Besucher mit eigener Kennung; andere sind jeden Tag jemand Neues.",
      firstWeek: "Zuerst da",
      weekAfter: "Woche {n}",
      oneWeek: "Dieser Zeitraum hat keine zweite Woche, in der jemand wiederkommen könnte.",
      nobodyReturned:
        "Niemand wurde in einer späteren Woche wiedergesehen. Sendet Ihr Laden keine Besucherkennungen, ist das nicht zu sehen: Ohne sie wird niemand verfolgt, und wer morgen kommt, ist jemand Neues.",
      paths: "Wege durch den Laden",
      pathsLead:
        "Die ersten {n} Seiten der Besuche, die häufigsten Wege zuerst. Wählen Sie eine Seite, um die Besuche mit ihr zu sehen.",
      depth: "Wie viele Seiten",
      pagesDeep: "{n} Seiten",
      path: "Weg",
      left: "dann fort",
    },
    es: {
      retention: "Quién volvió",
      retentionLead:
        "De quienes vinieron por primera vez en una semana de este período: cuántos vinieron en las siguientes. La última semana de una fila puede seguir en curso. Solo se reconoce a visitantes con identificador propio; los demás son alguien nuevo cada día.",
      firstWeek: "Primera vez",
      weekAfter: "semana {n}",
      oneWeek: "Este período no tiene una segunda semana en la que alguien pudiera volver.",
      nobodyReturned:
        "A nadie se le vio de nuevo en una semana posterior. Si su tienda no envía identificadores de visitante, no puede verse: sin ellos no se sigue a nadie, y quien viene mañana es alguien nuevo.",
      paths: "Recorridos por la tienda",
      pathsLead:
        "Las primeras {n} páginas de las visitas, primero los recorridos más frecuentes. Elija una página para ver las visitas con ella.",
      depth: "Cuántas páginas",
      pagesDeep: "{n} páginas",
      path: "Recorrido",
      left: "y se fue",
    },
    fr: {
      retention: "Qui est revenu",
      retentionLead:
        "De ceux venus pour la première fois une semaine de cette période : combien sont venus les semaines suivantes. La dernière semaine d’une ligne peut être en cours. Seuls les visiteurs ayant un identifiant sont reconnus ; les autres sont chaque jour quelqu’un de nouveau.",
      firstWeek: "Première venue",
      weekAfter: "semaine {n}",
      oneWeek: "Cette période n’a pas de deuxième semaine où quelqu’un pourrait revenir.",
      nobodyReturned:
        "Personne n’a été revu une semaine suivante. Si votre boutique n’envoie pas d’identifiants de visiteurs, cela ne peut se voir : sans eux personne n’est suivi, et qui vient demain est quelqu’un de nouveau.",
      paths: "Parcours dans la boutique",
      pathsLead:
        "Les {n} premières pages des visites, les parcours les plus fréquents d’abord. Choisissez une page pour voir les visites avec elle.",
      depth: "Combien de pages",
      pagesDeep: "{n} pages",
      path: "Parcours",
      left: "puis parti",
    },
    pt: {
      retention: "Quem voltou",
      retentionLead:
        "Dos que vieram pela primeira vez numa semana deste período: quantos vieram nas seguintes. A última semana de uma linha pode ainda decorrer. Só se reconhecem visitantes com identificador próprio; os outros são alguém novo em cada dia.",
      firstWeek: "Primeira vez",
      weekAfter: "semana {n}",
      oneWeek: "Este período não tem uma segunda semana em que alguém pudesse voltar.",
      nobodyReturned:
        "Ninguém foi visto outra vez numa semana posterior. Se a sua loja não envia identificadores de visitante, isso não se pode ver: sem eles ninguém é seguido, e quem vem amanhã é alguém novo.",
      paths: "Percursos pela loja",
      pathsLead:
        "As primeiras {n} páginas das visitas, primeiro os percursos mais frequentes. Escolha uma página para ver as visitas com ela.",
      depth: "Quantas páginas",
      pagesDeep: "{n} páginas",
      path: "Percurso",
      left: "e saiu",
    },
    ar: {
      retention: "من عاد",
      retentionLead:
        "من الذين جاؤوا أول مرة في أسبوع من هذه المدة: كم منهم جاء في الأسابيع التالية. قد يكون آخر أسبوع في السطر جاريًا. لا يُعرف ثانيةً إلا زائر له معرّف خاص، وغيره شخص جديد كل يوم.",
      firstWeek: "أول مجيء",
      weekAfter: "أسبوع {n}",
      oneWeek: "ليس في هذه المدة أسبوع ثانٍ يمكن أن يعود فيه أحد.",
      nobodyReturned:
        "لم يُرَ أحد مجددًا في أسبوع لاحق. إن كان متجرك لا يرسل معرّفات للزوار فلا يمكن رؤية ذلك: بدونها لا يُتتبع أحد، ومن يأتي غدًا شخص جديد.",
      paths: "المسارات في المتجر",
      pathsLead: "أول {n} صفحات من الزيارات، والأكثر تكرارًا أولًا. اختر صفحة لترى الزيارات التي فيها.",
      depth: "عدد الصفحات",
      pagesDeep: "{n} صفحات",
      path: "المسار",
      left: "ثم غادر",
    },
  },
);
