(function(){
  var main=document.querySelector("main"),news=document.getElementById("news"),timer=0,busy=false,again=false,last=0;
  function swap(){
    timer=0;
    if(busy){again=true;return}
    busy=true;last=Date.now();
    fetch(location.href,{headers:{accept:"text/html"}}).then(function(answer){
      return answer.text().then(function(text){
        var page=new DOMParser().parseFromString(text,"text/html"),fresh=page.querySelector("main"),now=document.activeElement;
        if(!fresh||now&&/INPUT|SELECT/.test(now.tagName))return;
        if(answer.redirected)history.replaceState(null,"",answer.url);
        var at=now&&main.contains(now)&&now.getAttribute("href");
        main.replaceChildren.apply(main,Array.from(fresh.childNodes));
        ["data-app","data-version"].forEach(function(name){main.setAttribute(name,fresh.getAttribute(name))});
        document.title=page.title;
        if(at){var link=Array.from(main.querySelectorAll("a")).find(function(a){return a.getAttribute("href")===at});if(link)link.focus({preventScroll:true})}
      });
    }).catch(function(){}).finally(function(){busy=false;if(again){again=false;soon()}});
  }
  function soon(){if(!timer)timer=setTimeout(swap,Math.max(Math.random()*300,last+700-Date.now()))}
  var lost=false,line;
  function listen(){
    line=new EventSource("/events");
    line.onmessage=function(event){
      var told=JSON.parse(event.data),mine=main.getAttribute("data-app");
      if(told.version){if(told.version!==main.getAttribute("data-version"))soon();return}
      document.documentElement.setAttribute("data-heard",told.record||"lease");
      if(mine&&mine!==told.app)return;
      if(told.sentence)news.textContent=told.verdict+": "+told.sentence;
      soon();
    };
    line.onerror=function(){if(!lost)news.textContent="The board does not answer: this page may be old.";lost=true;document.documentElement.setAttribute("data-line","lost")};
    line.onopen=function(){document.documentElement.setAttribute("data-line","open");if(lost){lost=false;news.textContent="";soon()}};
  }
  if(+main.getAttribute("data-every"))setInterval(soon,1000*main.getAttribute("data-every"));
  if(!main.hasAttribute("data-still"))requestAnimationFrame(function(){setTimeout(listen,0)});
})();
